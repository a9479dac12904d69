#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "eval/results.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"

namespace limbeck {
namespace {

using Rows = std::vector<const UtteranceScores*>;

/// Mean of the values that are numbers, or "" if none is.
std::string mean_text(std::vector<double> values, int decimals) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values.empty() ? "" : format("%.*f", decimals, summarize(values).mean);
}

/// Column heads and cells of the scores.
class ScoreCells {
 public:
  explicit ScoreCells(const Evaluation& evaluation) : evaluation_(evaluation) {
    for (const auto& row : evaluation.rows) {
      improvement_ |= !std::isnan(si_sdr_improvement(evaluation, row));
    }
  }

  void add_titles(std::vector<std::string>& header) const {
    for (const Metric& metric : evaluation_.metrics) header.push_back(metric.title);
    if (improvement_) header.push_back("SI-SDRi (dB)");
  }

  void add_means(const Rows& rows, bool noisy, std::vector<std::string>& cells) const {
    for (size_t m = 0; m < evaluation_.metrics.size(); ++m) {
      std::vector<double> values;
      for (const auto* row : rows) values.push_back((noisy ? row->noisy_scores : row->scores)[m]);
      cells.push_back(mean_text(std::move(values), evaluation_.metrics[m].decimals));
    }
    if (!improvement_) return;
    std::vector<double> values;
    for (const auto* row : rows) values.push_back(si_sdr_improvement(evaluation_, *row));
    cells.push_back(noisy ? "" : mean_text(std::move(values), 2));
  }

 private:
  const Evaluation& evaluation_;
  bool improvement_ = false;
};

Rows all_rows(const Evaluation& evaluation) {
  Rows rows;
  for (const auto& row : evaluation.rows) rows.push_back(&row);
  return rows;
}

double number(const std::string& text) {
  double value = NAN;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Rows by what `key` says of them; those of which it says nothing are left out.
template <class Key>
std::map<std::string, Rows> grouped(const Evaluation& evaluation, const Key& key) {
  std::map<std::string, Rows> groups;
  for (const auto& row : evaluation.rows) {
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

std::string group_table(const Evaluation& evaluation, const std::string& title,
                        const std::map<std::string, Rows>& groups, bool by_number) {
  if (groups.size() < 2) return "";
  std::vector<std::pair<std::string, Rows>> ordered(groups.begin(), groups.end());
  if (by_number) {
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
      return number(a.first) < number(b.first);
    });
  }
  const ScoreCells cells(evaluation);
  std::vector<std::string> header = {title, "", "n"};
  cells.add_titles(header);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, members] : ordered) {
    const std::string count = format("%d", members.size());
    if (evaluation.has_noisy()) {
      rows.push_back({name, "noisy", count});
      cells.add_means(members, true, rows.back());
    }
    rows.push_back({evaluation.has_noisy() ? "" : name, "estimate", count});
    cells.add_means(members, false, rows.back());
  }
  return markdown_table(header, rows, 2);
}

/// What is to be said of the whole; metrics that are not defined for every utterance have means
/// over fewer.
std::string footnotes(const Evaluation& evaluation) {
  std::string text;
  for (const std::string& note : evaluation.notes) text += "**" + note + "**\n";
  for (size_t m = 0; m < evaluation.metrics.size(); ++m) {
    for (const bool noisy : {false, true}) {
      if (noisy && !evaluation.has_noisy()) continue;
      const size_t n = evaluation.scores(m, noisy).size();
      if (n == evaluation.rows.size()) continue;
      text +=
          format("%s%s: mean over the %d of %d utterances where it is defined\n",
                 evaluation.metrics[m].title, noisy ? ", noisy" : "", n, evaluation.rows.size());
    }
  }
  return text;
}

}  // namespace

std::string score_table(const Evaluation& evaluation, const std::string& system) {
  const ScoreCells cells(evaluation);
  std::vector<std::string> header = {"system", "n"};
  cells.add_titles(header);
  const std::string count = format("%d", evaluation.rows.size());
  std::vector<std::vector<std::string>> rows;
  if (evaluation.has_noisy()) {
    rows.push_back({"noisy", count});
    cells.add_means(all_rows(evaluation), true, rows.back());
  }
  rows.push_back({system, count});
  cells.add_means(all_rows(evaluation), false, rows.back());
  const std::string notes = footnotes(evaluation);
  return markdown_table(header, rows) + (notes.empty() ? "" : "\n" + notes);
}

std::string breakdown_tables(const Evaluation& evaluation) {
  std::set<std::string> snrs;
  for (const auto& row : evaluation.rows) snrs.insert(row.condition.snr_db);
  const bool few = snrs.size() <= 8;
  std::vector<std::string> tables = {
      group_table(evaluation, "SNR",
                  grouped(evaluation,
                          [&](const auto& row) { return snr_group(row.condition.snr_db, few); }),
                  true),
      group_table(evaluation, "speaker",
                  grouped(evaluation, [](const auto& row) { return row.condition.speaker; }),
                  false),
      group_table(evaluation, "noise",
                  grouped(evaluation, [](const auto& row) { return row.condition.noise; }), false)};
  std::erase(tables, "");
  return join(tables, "\n");
}

}  // namespace limbeck
