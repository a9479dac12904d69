#include "study/report.h"

#include <algorithm>
#include <set>

#include "limbeck/core/csv.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"

namespace limbeck {
namespace {

bool is_teacher(const StudyRun& run) { return run.tool == "limbeck-pretrain"; }

std::string results_csv(const StudyConfig& config, const StudyResults& results) {
  // A column that every reader of the file sees, only where there is something to say.
  const bool noted = std::any_of(results.notes.begin(), results.notes.end(),
                                 [](const auto& of_set) { return !of_set.second.empty(); });
  const auto line = [&](std::vector<std::string> fields, const std::string& note) {
    if (noted) fields.push_back(note);
    return csv_line(fields);
  };
  const auto number = [](const Summary& s) { return s.n == 0 ? "" : shortest(s.mean); };
  std::string csv = line({"scenario", "method", "seed", "set", "metric", "value"}, "note");
  std::set<std::string> begun;
  for (const ScoredRun& scored : results.runs) {
    const StudyRun& run = scored.run;
    const bool teacher = is_teacher(run);
    const std::string scenario = teacher ? "" : config.scenarios[run.scenario].name;
    const std::string method = teacher ? run.label : config.methods[run.method].name;
    for (const StudySet& set : config.study.sets) {
      const auto found = results.tables.find(set.name);
      if (found == results.tables.end()) continue;
      const ResultTable& table = found->second;
      const RunResults* scores = table.find_run(scored.name());
      if (scores == nullptr) continue;
      const auto notes = results.notes.find(set.name);
      const std::string note = notes == results.notes.end() ? "" : join(notes->second, "; ");
      const bool is_first = begun.insert(set.name).second;
      for (size_t m = 0; m < table.metrics.size(); ++m) {
        const std::string& metric = table.metrics[m].name;
        if (is_first) {
          csv += line(
              {"", "noisy", "", set.name, metric, number(table.over_utterances(*scores, m, true))},
              note);
        }
        csv += line({scenario, method, std::to_string(run.seed), set.name, metric,
                     number(table.over_utterances(*scores, m))},
                    note);
      }
    }
  }
  return csv;
}

std::string count_text(int64_t parameters) {
  return parameters < 1000000 ? format("%.1f k", static_cast<double>(parameters) / 1e3)
                              : format("%.2f M", static_cast<double>(parameters) / 1e6);
}

/// The tables of one set.
class SetTables {
 public:
  SetTables(const StudyConfig& config, const StudyResults& results, const ResultTable& table)
      : config_(config), results_(results), table_(table) {}

  std::string means() const {
    std::vector<std::string> header = {"system", "method", "parameters", "MMAC/s", "n"};
    for (const Metric& metric : table_.metrics) header.push_back(metric.title);
    std::vector<std::vector<std::string>> rows;
    if (!table_.runs.empty()) rows.push_back(noisy_row());
    for (const ScoredRun& run : results_.runs) {
      if (!is_teacher(run.run) || table_.find_run(run.name()) == nullptr) continue;
      rows.push_back(row(run.run.label, "", {&run}));
    }
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        const auto group = select(s, m);
        if (!group.empty())
          rows.push_back(row(config_.scenarios[s].name, config_.methods[m].name, group));
      }
    }
    return markdown_table(header, rows, 2);
  }

  /// Empty without a baseline or with fewer than two common seeds.
  std::string differences() const {
    std::vector<std::string> header = {"scenario", "method", "n"};
    for (const Metric& metric : table_.metrics) header.push_back("Δ " + metric.title);
    std::vector<std::vector<std::string>> rows;
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      const auto baseline = baseline_runs(s);
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        if (config_.methods[m].name == config_.study.baseline) continue;
        const auto cells = differences_of(select(s, m), baseline);
        if (cells.empty()) continue;
        rows.push_back({config_.scenarios[s].name, config_.methods[m].name});
        rows.back().insert(rows.back().end(), cells.begin(), cells.end());
      }
    }
    return rows.empty() ? "" : markdown_table(header, rows, 2);
  }

 private:
  using Runs = std::vector<const ScoredRun*>;

  Runs select(size_t scenario, size_t method) const {
    Runs group;
    for (const ScoredRun& scored : results_.runs) {
      if (!is_teacher(scored.run) && scored.run.scenario == scenario &&
          scored.run.method == method && table_.find_run(scored.name()) != nullptr) {
        group.push_back(&scored);
      }
    }
    return group;
  }

  Runs baseline_runs(size_t scenario) const {
    for (size_t m = 0; m < config_.methods.size(); ++m) {
      if (config_.methods[m].name == config_.study.baseline) return select(scenario, m);
    }
    return {};
  }

  std::vector<std::string> noisy_row() const {
    std::vector<std::string> cells = {"noisy", "", "", "", ""};
    for (size_t m = 0; m < table_.metrics.size(); ++m) {
      cells.push_back(number_text(table_.over_utterances(table_.runs.front(), m, true).mean,
                                  table_.metrics[m].decimals));
    }
    return cells;
  }

  std::vector<std::string> row(const std::string& name, const std::string& method,
                               const Runs& group) const {
    const nn::ModelCost& cost = group.front()->cost;
    std::vector<std::string> cells = {name, method, count_text(cost.parameters),
                                      format("%.1f", cost.macs_per_second / 1e6),
                                      format("%d", group.size())};
    std::vector<const RunResults*> scores;
    for (const ScoredRun* run : group) scores.push_back(table_.find_run(run->name()));
    for (size_t m = 0; m < table_.metrics.size(); ++m) {
      cells.push_back(summary_text(table_.over_runs(scores, m), table_.metrics[m].decimals));
    }
    return cells;
  }

  double mean_of(const ScoredRun& run, size_t metric) const {
    return table_.over_utterances(*table_.find_run(run.name()), metric).mean;
  }

  /// n and the differences by metric, paired by seed; empty for fewer than two pairs.
  std::vector<std::string> differences_of(const Runs& own, const Runs& baseline) const {
    std::vector<std::pair<const ScoredRun*, const ScoredRun*>> pairs;
    for (const ScoredRun* run : own) {
      const auto same_seed = [&](const auto* other) { return other->run.seed == run->run.seed; };
      const auto found = std::find_if(baseline.begin(), baseline.end(), same_seed);
      if (found != baseline.end()) pairs.emplace_back(*found, run);
    }
    if (pairs.size() < 2) return {};
    std::vector<std::string> cells = {format("%d", pairs.size())};
    for (size_t m = 0; m < table_.metrics.size(); ++m) {
      std::vector<double> a, b;
      for (const auto& [before, after] : pairs) {
        a.push_back(mean_of(*before, m));
        b.push_back(mean_of(*after, m));
      }
      const Metric& metric = table_.metrics[m];
      const auto difference = paired_difference(a, b, metric.higher_is_better);
      cells.push_back(difference_text(difference, metric.decimals) + " " +
                      interval_text(difference, metric.decimals));
    }
    return cells;
  }

  const StudyConfig& config_;
  const StudyResults& results_;
  const ResultTable& table_;
};

}  // namespace

std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& scored, const std::vector<StudyFailure>& failures) {
  StudyResults results = scored;
  for (auto& [set, table] : results.tables) table = table.paired();
  std::string text = "## " + config.study.name + "\n";
  for (const StudySet& set : config.study.sets) {
    const auto found = results.tables.find(set.name);
    const ResultTable table =
        found == results.tables.end() ? ResultTable{results.metrics} : found->second;
    const SetTables tables(config, results, table);
    text += "\nSet " + set.name +
            ": mean ± sample standard deviation (n − 1) over n training seeds; the score of a run "
            "is the mean "
            "over the utterances.\n\n" +
            tables.means();
    const std::string differences = tables.differences();
    if (!differences.empty()) {
      text += "\nAgainst " + config.study.baseline +
              ", paired by seed: mean difference and its 95 % interval (Student's t, not "
              "corrected for the number of comparisons).\n\n" +
              differences;
    }
    if (const auto notes = results.notes.find(set.name); notes != results.notes.end()) {
      for (const std::string& note : notes->second) text += "\n**" + note + "**\n";
    }
    for (const std::string& left_out : table.left_out) text += "\n" + left_out + "\n";
    for (const std::string& text_of : environment_differences(table.all_runs())) {
      text += "\nScored on different machines or versions: " + text_of + "\n";
    }
  }
  std::string failed = csv_line({"run", "reason"});
  for (const StudyFailure& failure : failures) failed += csv_line({failure.label, failure.reason});
  if (!failures.empty())
    text += format("\n%d failures are listed in failures.csv; what failed is not in the means.\n",
                   failures.size());
  write_file_atomically(dir / "results.csv", results_csv(config, results));
  write_file_atomically(dir / "failures.csv", failed);
  write_file_atomically(dir / "table.md", text);
  return text;
}

}  // namespace limbeck
