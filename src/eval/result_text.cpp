#include "eval/result_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/data/pair_lengths.h"

namespace limbeck {
namespace {

using Rows = std::vector<const UtteranceScores*>;

/// Mean of the values that are numbers, or "" if none is.
std::string mean_text(std::vector<double> values, int decimals) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return number_text(summarize(values).mean, decimals);
}

/// Column heads and cells of the scores of a run.
class ScoreCells {
 public:
  ScoreCells(const ResultTable& table, const RunResults& run) : table_(table) {
    for (const auto& row : run.rows) improvement_ |= !std::isnan(table.si_sdr_improvement(row));
  }

  void add_titles(std::vector<std::string>& header) const {
    for (const Metric& metric : table_.metrics) header.push_back(metric.title);
    if (improvement_) header.push_back("SI-SDRi (dB)");
  }

  void add_means(const Rows& rows, bool noisy, std::vector<std::string>& cells) const {
    for (size_t m = 0; m < table_.metrics.size(); ++m) {
      std::vector<double> values;
      for (const auto* row : rows) values.push_back(row->score(m, noisy));
      cells.push_back(mean_text(std::move(values), table_.metrics[m].decimals));
    }
    if (!improvement_) return;
    std::vector<double> values;
    for (const auto* row : rows) values.push_back(table_.si_sdr_improvement(*row));
    cells.push_back(noisy ? "" : mean_text(std::move(values), 2));
  }

 private:
  const ResultTable& table_;
  bool improvement_ = false;
};

Rows all_rows(const RunResults& run) {
  Rows rows;
  for (const auto& row : run.rows) rows.push_back(&row);
  return rows;
}

double number(const std::string& text) {
  double value = NAN;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Rows by what `key` says of them; those of which it says nothing are left out.
template <class Key>
std::map<std::string, Rows> grouped(const RunResults& run, const Key& key) {
  std::map<std::string, Rows> groups;
  for (const auto& row : run.rows) {
    const std::string name = key(row);
    if (!name.empty()) groups[name].push_back(&row);
  }
  return groups;
}

/// SNRs as they are if they are few, else in steps of 5 dB.
std::string snr_group(const std::string& snr_db, bool few) {
  const double value = number(snr_db);
  if (std::isnan(value)) return snr_db.empty() ? "" : snr_db;
  if (few) return format("%g dB", value);
  const double low = 5 * std::floor(value / 5);
  return format("%g to %g dB", low, low + 5);
}

std::string group_table(const ResultTable& table, const std::string& title,
                        const std::map<std::string, Rows>& groups, bool by_number) {
  if (groups.size() < 2) return "";
  std::vector<std::pair<std::string, Rows>> ordered(groups.begin(), groups.end());
  if (by_number) {
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
      return number(a.first) < number(b.first);
    });
  }
  const RunResults& run = table.runs.front();
  const ScoreCells cells(table, run);
  std::vector<std::string> header = {title, "", "n"};
  cells.add_titles(header);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, members] : ordered) {
    const std::string count = format("%d", members.size());
    if (run.has_noisy()) {
      rows.push_back({name, "noisy", count});
      cells.add_means(members, true, rows.back());
    }
    rows.push_back({run.has_noisy() ? "" : name, "estimate", count});
    cells.add_means(members, false, rows.back());
  }
  return markdown_table(header, rows, 2);
}

/// What is to be said of the whole.
std::string remarks_text(const ResultTable& table) {
  std::string text;
  for (const std::string& remark : table.remarks()) text += "**" + remark + "**\n";
  return text;
}

/// What of the set takes no part in the means.
std::string left_out_text(const ResultTable& paired) {
  std::vector<std::string> lines = paired.left_out;
  lines.push_back(cut_text(paired));
  std::erase(lines, "");
  return lines.empty() ? "" : join(lines, "\n") + "\n";
}

}  // namespace

std::string cut_text(const ResultTable& table) {
  std::set<std::string> all;
  for (const RunResults& run : table.runs) {
    for (const UtteranceScores& row : run.rows) all.insert(row.id);
  }
  return cut_text(table.cut_utterances().size(), all.size());
}

std::string score_table(const ResultTable& scores) {
  const ResultTable table = scores.paired();
  const RunResults& run = table.runs.front();
  const ScoreCells cells(table, run);
  std::vector<std::string> header = {"system", "n"};
  cells.add_titles(header);
  const std::string count = format("%d", run.rows.size());
  std::vector<std::vector<std::string>> rows;
  if (run.has_noisy()) {
    rows.push_back({"noisy", count});
    cells.add_means(all_rows(run), true, rows.back());
  }
  rows.push_back({run.name, count});
  cells.add_means(all_rows(run), false, rows.back());
  const std::string notes = remarks_text(table) + left_out_text(table);
  return markdown_table(header, rows) + (notes.empty() ? "" : "\n" + notes);
}

std::string breakdown_tables(const ResultTable& scores) {
  const ResultTable table = scores.paired();
  const RunResults& run = table.runs.front();
  std::set<std::string> snrs;
  for (const auto& row : run.rows) snrs.insert(row.condition.snr_db);
  const bool few = snrs.size() <= 8;
  const auto snr = [&](const auto& row) { return snr_group(row.condition.snr_db, few); };
  const auto speaker = [](const auto& row) { return row.condition.speaker; };
  const auto noise = [](const auto& row) { return row.condition.noise; };
  std::vector<std::string> tables = {group_table(table, "SNR", grouped(run, snr), true),
                                     group_table(table, "speaker", grouped(run, speaker), false),
                                     group_table(table, "noise", grouped(run, noise), false)};
  std::erase(tables, "");
  return join(tables, "\n");
}

std::string runs_table(const ResultTable& scores) {
  const ResultTable table = scores.paired();
  std::vector<std::string> header = {"system", "runs"};
  for (const Metric& metric : table.metrics) header.push_back(metric.title);
  const auto means = [&](const std::string& head, const RunResults& run, bool noisy) {
    std::vector<std::string> cells = {head, ""};
    for (size_t m = 0; m < table.metrics.size(); ++m) {
      cells.push_back(
          number_text(table.over_utterances(run, m, noisy).mean, table.metrics[m].decimals));
    }
    return cells;
  };
  std::vector<std::vector<std::string>> rows;
  if (table.runs.front().has_noisy()) rows.push_back(means("noisy", table.runs.front(), true));
  for (const RunResults& run : table.runs) rows.push_back(means(run.name, run, false));
  rows.push_back({"all runs", format("%d", table.runs.size())});
  for (size_t m = 0; m < table.metrics.size(); ++m) {
    rows.back().push_back(
        summary_text(table.over_runs(table.all_runs(), m), table.metrics[m].decimals));
  }
  return markdown_table(header, rows) +
         "\neach run: mean over the utterances; all runs: mean ± sample standard deviation over "
         "the runs\n" +
         remarks_text(table) + left_out_text(table);
}

}  // namespace limbeck
