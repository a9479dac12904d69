#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "study/report_text.h"

namespace limbeck {
namespace {

using Cells = std::vector<std::string>;

constexpr size_t kMetricsInTable = 4;  // with their intervals, so that lines stay readable

/// A name as Markdown shows it, on one line: what would be markup there is told not to be.
std::string safe(const std::string& name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] == '\n' ? ' ' : name[i];
    const auto is_edge = [&](size_t at) {
      return at >= name.size() || std::string_view(" ,.:;()").find(name[at]) != std::string::npos;
    };
    const bool is_markup = std::string_view("\\`*<$[]~").find(c) != std::string::npos ||
                           (c == '_' && (is_edge(i - 1) || is_edge(i + 1))) ||
                           (c == '&' && name.find(';', i) != std::string::npos);
    text += (is_markup ? "\\" : "") + std::string(1, c);
  }
  return text;
}

/// A table whose first columns are names.
struct Table {
  Cells header;
  std::vector<Cells> rows = {};

  std::string text(size_t names) const {
    return rows.empty() ? "" : markdown_table(header, rows, names);
  }
};

class Markdown {
 public:
  Markdown(const StudyConfig& config, const StudyResults& results, const ReportData& data)
      : config_(config), results_(results), data_(data) {}

  std::string text() const {
    std::string text = "# " + safe(config_.study.name) + partial_text(results_) + "\n";
    if (!results_.unfair.empty()) text += "\n**Unfair arms: see Notes.**\n";
    for (const SetReport& set : data_.sets) text += cited(set);
    for (const SetReport& set : data_.sets) text += secondary(set);
    return text + search() + notes();
  }

 private:
  /// The columns that say what a row is of.
  Cells names_header(const Cells& more) const {
    Cells header = {"scenario"};
    if (data_.has_sweep) header.emplace_back("sweep");
    header.insert(header.end(), more.begin(), more.end());
    return header;
  }

  template <class Row>
  Cells names_of(const Row& row, const std::string& last) const {
    Cells cells = {safe(row.scenario)};
    if (data_.has_sweep) cells.push_back(safe(row.sweep));
    cells.push_back(safe(last));
    return cells;
  }

  Cells names_of(const ArmDifference& d) const {
    return names_of(d, d.method + " − " + d.reference);
  }
  Cells names_of(const SystemRow& row) const { return names_of(row, row.method); }

  size_t name_columns() const { return data_.has_sweep ? 3 : 2; }

  std::string section(const std::string& title, const std::string& about,
                      const std::string& table) const {
    if (table.empty()) return "";
    return "\n### " + title + "\n\n" + about + (about.empty() ? "" : "\n\n") + table;
  }

  std::string cited(const SetReport& set) const {
    std::string text = "\n## Set " + safe(set.name) + "\n";
    for (const std::string& note : set.notes) text += "\n**" + safe(note) + "**\n";
    text += section("Means (to cite)", means_caption(data_, set), means(set));
    const std::string& title = set.table.metrics[data_.primary].title;
    return text + section("Differences in " + safe(title) + " (to cite)",
                          differences_caption(data_, set), differences(set));
  }

  std::string means(const SetReport& set) const {
    Table table{names_header({"method", "parameters", "MMAC/s", "n"})};
    for (const Metric& metric : set.table.metrics) table.header.push_back(safe(metric.title));
    for (const SystemRow& row : set.systems) {
      Cells cells = names_of(row);
      const bool has_cost = row.kind != SystemKind::noisy && !row.runs.empty();
      cells.push_back(has_cost ? count_text(row.runs.front()->parameters) : "");
      cells.push_back(has_cost ? format("%.1f", row.runs.front()->macs_per_second / 1e6) : "");
      cells.push_back(row.kind == SystemKind::noisy ? "" : runs_text(row));
      for (size_t m = 0; m < row.scores.size(); ++m) {
        cells.push_back(summary_text(row.scores[m].runs, set.table.metrics[m].decimals));
      }
      table.rows.push_back(std::move(cells));
    }
    return table.text(name_columns());
  }

  std::string differences(const SetReport& set) const {
    const Metric& metric = set.table.metrics[data_.primary];
    Table table{names_header(
        {"comparison", "n", "Δ " + safe(metric.title) + " [95 % interval]", "p (t)", "p (Holm)"})};
    for (const ArmDifference& d : set.differences) {
      if (!d.is_named) continue;
      const PairedAnalysis& a = d.metrics[data_.primary].analysis;
      Cells cells = names_of(d);
      cells.push_back(format("%d", a.difference.n));
      cells.push_back(difference_cell(a, metric.decimals));
      cells.push_back(p_text(a.p));
      cells.push_back(p_text(d.holm_p));
      table.rows.push_back(std::move(cells));
    }
    return table.text(name_columns());
  }

  static std::string difference_cell(const PairedAnalysis& a, int decimals) {
    const std::string interval = interval_text(a.difference, decimals);
    return difference_text(a.difference, decimals) + (interval.empty() ? "" : " " + interval);
  }

  std::string secondary(const SetReport& set) const {
    std::string text;
    const std::string& title = set.table.metrics[data_.primary].title;
    text += section("Differences in " + safe(title) + ": how far they carry", how_far_caption(),
                    how_far(set, true));
    text += section("Differences in " + safe(title) + ": exploratory",
                    "Not named beforehand, not corrected: to be looked at, not to be cited as "
                    "findings.",
                    how_far(set, false));
    text += section("Differences in all metrics",
                    "Mean difference [95 % interval], not corrected for the number of "
                    "comparisons.",
                    all_differences(set));
    text += section("Differences by seeds, speakers and utterances", bootstrap_caption(set),
                    bootstraps(set));
    text += section("Means: intervals",
                    std::string("Mean [95 % interval by Student's t") +
                        (data_.has_teachers ? ", over seeds, each a mean over its runs" : "") +
                        "]; IQM: interquartile mean, for n ≥ 5.",
                    intervals(set));
    text += section("Teachers and students apart",
                    "Standard deviation of " + safe(title) +
                        ": what another seed of the teacher changes, what another seed of the "
                        "student changes, and the rest of runs that share neither (two-way "
                        "random model).",
                    variances(set));
    return text.empty() ? "" : "\n## Set " + safe(set.name) + ": secondary statistics\n" + text;
  }

  static std::string how_far_caption() {
    return format(
        "p (exact): permutation test of the signs, which cannot be below .05 for n < %d; g: "
        "Hedges' g_av; P(better): chance that a run of the method is better than one of the "
        "reference; detectable: difference that the t test finds with 80 %% at p < .05.",
        pairs_needed(0.05));
  }

  std::string how_far(const SetReport& set, bool named) const {
    const int decimals = set.table.metrics[data_.primary].decimals;
    Table table{names_header({"comparison", "n", "Δ [95 % interval]", "p (t)", "p (exact)", "g",
                              "P(better) [95 % interval]", "detectable"})};
    for (const ArmDifference& d : set.differences) {
      const PairedAnalysis& a = d.metrics[data_.primary].analysis;
      if (d.is_named != named || a.difference.n < 2) continue;
      Cells cells = names_of(d);
      for (const std::string& cell :
           {format("%d", a.difference.n), difference_cell(a, decimals), p_text(a.p),
            p_text(a.permutation_p), number_text(a.hedges_g, 2),
            number_text(a.improvement.probability, 2) + " " + share_text(a.improvement.interval),
            number_text(a.detectable, decimals)}) {
        cells.push_back(cell);
      }
      table.rows.push_back(std::move(cells));
    }
    return table.text(name_columns());
  }

  static std::string share_text(const Interval& interval) {
    return std::isnan(interval.low) ? "" : format("[%.2f, %.2f]", interval.low, interval.high);
  }

  /// Metrics side by side, as many as a line takes.
  template <class AddHeader, class AddCells>
  std::string in_pieces(const SetReport& set, const Cells& names, const AddHeader& add_header,
                        const AddCells& add_rows) const {
    std::string text;
    const size_t count = set.table.metrics.size();
    for (size_t first = 0; first < count; first += kMetricsInTable) {
      const size_t last = std::min(first + kMetricsInTable, count);
      Table table{names_header(names)};
      for (size_t m = first; m < last; ++m) add_header(table.header, m);
      add_rows(table.rows, first, last);
      text += (text.empty() || table.rows.empty() ? "" : "\n") + table.text(name_columns());
    }
    return text;
  }

  std::string all_differences(const SetReport& set) const {
    if (set.table.metrics.size() < 2) return "";
    const auto header = [&](Cells& cells, size_t m) {
      cells.push_back("Δ " + safe(set.table.metrics[m].title));
    };
    return in_pieces(set, {"comparison", "n"}, header, [&](auto& rows, size_t first, size_t last) {
      for (const ArmDifference& d : set.differences) {
        if (d.units.size() < 2) continue;
        Cells cells = names_of(d);
        cells.push_back(format("%d", d.units.size()));
        for (size_t m = first; m < last; ++m) {
          cells.push_back(difference_cell(d.metrics[m].analysis, set.table.metrics[m].decimals));
        }
        rows.push_back(std::move(cells));
      }
    });
  }

  std::string bootstrap_caption(const SetReport& set) const {
    std::string text =
        "Interval of Δ " + safe(set.table.metrics[data_.primary].title) +
        " by a hierarchical bootstrap over seeds, speakers and utterances: what other speakers and "
        "utterances might give. For few seeds it is too narrow; the t interval above is the one to "
        "cite.";
    for (const ArmDifference& d : set.differences) {
      if (!d.bootstrap || d.bootstrap->utterances == 0 || !d.bootstrap->few_speakers()) continue;
      const size_t speakers = d.bootstrap->speakers;
      return text +
             format("\n\n**%d test %s for others: nothing here generalises to new speakers.**",
                    speakers, speakers == 1 ? "speaker does not stand" : "speakers do not stand");
    }
    return text;
  }

  std::string bootstraps(const SetReport& set) const {
    const int decimals = set.table.metrics[data_.primary].decimals;
    Table table{
        names_header({"comparison", "seeds", "speakers", "utterances", "Δ [95 % bootstrap]"})};
    for (const ArmDifference& d : set.differences) {
      if (!d.bootstrap || std::isnan(d.bootstrap->interval.low)) continue;
      Cells cells = names_of(d);
      for (const size_t count :
           {d.bootstrap->seeds, d.bootstrap->speakers, d.bootstrap->utterances}) {
        cells.push_back(format("%d", count));
      }
      cells.push_back(format("%+.*f ", decimals, d.bootstrap->mean) +
                      bounds_text(d.bootstrap->interval, decimals));
      table.rows.push_back(std::move(cells));
    }
    return table.text(name_columns());
  }

  std::string intervals(const SetReport& set) const {
    const bool has_middle = std::any_of(set.systems.begin(), set.systems.end(),
                                        [](const SystemRow& row) { return row.runs.size() >= 5; });
    const auto header = [&](Cells& cells, size_t m) {
      cells.push_back(safe(set.table.metrics[m].title));
      if (has_middle) cells.emplace_back("IQM");
    };
    return in_pieces(set, {"method", "n"}, header, [&](auto& rows, size_t first, size_t last) {
      for (const SystemRow& row : set.systems) {
        if (row.runs.size() < 2) continue;
        Cells cells = names_of(row);
        cells.push_back(runs_text(row));
        for (size_t m = first; m < last; ++m) {
          const SystemScores& scores = row.scores[m];
          const int decimals = set.table.metrics[m].decimals;
          const double mean = scores.units.mean, half = interval95(scores.units);
          cells.push_back(number_text(mean, decimals));
          if (!std::isnan(half)) {
            cells.back() += format(" [%.*f, %.*f]", decimals, mean - half, decimals, mean + half);
          }
          if (has_middle) cells.push_back(number_text(scores.middle.mean, decimals));
        }
        rows.push_back(std::move(cells));
      }
    });
  }

  std::string variances(const SetReport& set) const {
    const int decimals = set.table.metrics[data_.primary].decimals;
    Table table{
        names_header({"method", "teachers", "students", "of teachers", "of students", "rest"})};
    for (const SystemRow& row : set.systems) {
      const auto& found = row.scores[data_.primary].variances;
      if (!found) continue;
      Cells cells = names_of(row);
      cells.push_back(format("%d", found->teachers));
      cells.push_back(format("%d", found->students));
      for (const double variance : {found->teacher, found->student, found->residual}) {
        cells.push_back(number_text(std::sqrt(variance), decimals));
      }
      table.rows.push_back(std::move(cells));
    }
    return table.text(name_columns());
  }

  std::string search() const {
    Table table{{"scenario", "method", "chosen", "by", "points", "failed", "value", "best, worst"}};
    for (const SearchOutcome& outcome : results_.searches) {
      std::vector<double> means;
      size_t failed = 0;
      for (const auto& point : outcome.points) {
        const auto known = known_values(point.values);
        failed += point.values.size() - known.size();
        means.push_back(summarize(known).mean);
      }
      const auto tried = known_values(means);
      const auto [low, high] = std::minmax_element(tried.begin(), tried.end());
      const bool up = outcome.higher_is_better;
      table.rows.push_back(
          {safe(outcome.scenario), safe(outcome.method),
           outcome.chosen ? safe(outcome.points[*outcome.chosen].name) : "none", safe(outcome.by),
           format("%d", outcome.points.size()), format("%d", failed),
           outcome.chosen ? number_text(means[*outcome.chosen], 4) : "",
           tried.empty() ? "" : format("%.4f, %.4f", up ? *high : *low, up ? *low : *high)});
    }
    if (table.rows.empty()) return "";
    return "\n## Search\n\nChosen on validation; every point is in summary.json.\n\n" +
           table.text(4);
  }

  std::string notes() const {
    std::string text;
    for (const MissingRun& missing : results_.missing) {
      text += "- Missing: " + safe(missing_text(missing)) + "\n";
    }
    for (const std::string& warning : data_.warnings) text += "- " + safe(warning) + "\n";
    return text.empty() ? "" : "\n## Notes\n\n" + text;
  }

  const StudyConfig& config_;
  const StudyResults& results_;
  const ReportData& data_;
};

}  // namespace

std::string report_markdown(const StudyConfig& config, const StudyResults& results,
                            const ReportData& data) {
  return Markdown(config, results, data).text();
}

}  // namespace limbeck
