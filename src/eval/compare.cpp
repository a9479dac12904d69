#include "limbeck/eval/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/results.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Rows of both sides with one id.
struct Pair {
  const UtteranceScores* a;
  const UtteranceScores* b;
};

/// Throws DataError if two rows of one id cannot be of one recording.
void require_same_recording(const Evaluation& a, const Evaluation& b, const Pair& pair) {
  // Files that were cut, resampled or aligned may differ in the last samples.
  if (std::abs(pair.a->seconds - pair.b->seconds) > 0.02) {
    throw DataError(format("%s: %g s in one and %g s in the other: not the same recordings",
                           pair.a->id, pair.a->seconds, pair.b->seconds));
  }
  if (pair.a->noisy_scores.empty() || pair.b->noisy_scores.empty()) return;
  for (size_t m = 0; m < a.metrics.size(); ++m) {
    for (size_t k = 0; k < b.metrics.size(); ++k) {
      if (a.metrics[m].name != b.metrics[k].name) continue;
      const double difference = pair.a->noisy_scores[m] - pair.b->noisy_scores[k];
      if (!(std::abs(difference) > 0.01)) continue;
      throw DataError(
          format("%s: %s of the noisy side is %g in one and %g in the other: not the "
                 "same recordings",
                 pair.a->id, a.metrics[m].name, pair.a->noisy_scores[m], pair.b->noisy_scores[k]));
    }
  }
}

PairedDifference difference_of(const Metric& metric, const std::vector<UtteranceDifference>& rows) {
  PairedDifference result;
  result.metric = metric;
  std::vector<double> a, b, differences;
  for (const auto& row : rows) {
    a.push_back(row.a);
    b.push_back(row.b);
    differences.push_back(row.b - row.a);
    const double gain = metric.higher_is_better ? row.b - row.a : row.a - row.b;
    result.wins += gain > 0;
    result.losses += gain < 0;
  }
  const Summary summary = summarize(differences);
  result.n = summary.n;
  result.mean_a = summarize(a).mean;
  result.mean_b = summarize(b).mean;
  result.mean = summary.mean;
  result.interval = interval95(summary);
  return result;
}

std::vector<UtteranceDifference> scored_in_both(const std::vector<Pair>& pairs, size_t in_a,
                                                size_t in_b) {
  std::vector<UtteranceDifference> rows;
  for (const Pair& pair : pairs) {
    const double a = pair.a->scores[in_a];
    const double b = pair.b->scores[in_b];
    if (!std::isnan(a) && !std::isnan(b)) rows.push_back({pair.a->id, a, b});
  }
  return rows;
}

std::string ids_text(const std::vector<std::string>& ids) {
  constexpr size_t kShown = 5;
  const std::vector<std::string> shown(
      ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), kShown)));
  return join(shown, ", ") + (ids.size() > kShown ? ", …" : "");
}

}  // namespace

Comparison compare_results(const std::string& folder_a, const std::string& folder_b,
                           const std::string& rank_by, size_t worst) {
  const Evaluation a = read_scores(fs::path(folder_a) / "per_utterance.csv");
  const Evaluation b = read_scores(fs::path(folder_b) / "per_utterance.csv");
  std::map<std::string, const UtteranceScores*> left;
  for (const auto& row : b.rows) left[row.id] = &row;
  Comparison comparison;
  comparison.notes_a = a.notes;
  comparison.notes_b = b.notes;
  std::vector<Pair> pairs;
  for (const auto& row : a.rows) {
    const auto found = left.find(row.id);
    if (found == left.end()) {
      comparison.only_in_a.push_back(row.id);
      continue;
    }
    pairs.push_back({&row, found->second});
    require_same_recording(a, b, pairs.back());
    left.erase(found);
  }
  for (const auto& [id, row] : left) comparison.only_in_b.push_back(id);

  std::vector<std::vector<UtteranceDifference>> rows;
  std::vector<std::string> common;
  for (size_t m = 0; m < a.metrics.size(); ++m) {
    for (size_t k = 0; k < b.metrics.size(); ++k) {
      if (a.metrics[m].name != b.metrics[k].name) continue;
      auto both = scored_in_both(pairs, m, k);
      if (both.empty()) continue;
      if (a.metrics[m].name == rank_by) comparison.ranked = common.size();
      common.push_back(a.metrics[m].name);
      comparison.differences.push_back(difference_of(a.metrics[m], both));
      rows.push_back(std::move(both));
    }
  }
  if (common.empty()) {
    throw DataError(folder_a + " and " + folder_b +
                    ": no utterance has a score of one metric in both");
  }
  if (!rank_by.empty() && std::find(common.begin(), common.end(), rank_by) == common.end()) {
    throw ConfigError("'" + rank_by + "' is not scored in both; common: " + join(common, ", "));
  }
  comparison.worst = rows[comparison.ranked];
  const double sign = comparison.differences[comparison.ranked].metric.higher_is_better ? 1 : -1;
  std::stable_sort(
      comparison.worst.begin(), comparison.worst.end(),
      [&](const auto& x, const auto& y) { return sign * (x.b - x.a) < sign * (y.b - y.a); });
  comparison.worst.resize(std::min(worst, comparison.worst.size()));
  return comparison;
}

std::string comparison_text(const Comparison& comparison, const std::string& name_a,
                            const std::string& name_b) {
  std::vector<std::vector<std::string>> rows;
  for (const PairedDifference& d : comparison.differences) {
    const int decimals = d.metric.decimals;
    rows.push_back({d.metric.title, format("%d", d.n), format("%.*f", decimals, d.mean_a),
                    format("%.*f", decimals, d.mean_b), format("%+.*f", decimals, d.mean),
                    std::isnan(d.interval) ? ""
                                           : format("[%+.*f, %+.*f]", decimals, d.mean - d.interval,
                                                    decimals, d.mean + d.interval),
                    format("%d : %d", d.wins, d.losses)});
  }
  std::string text =
      "A " + name_a + "\nB " + name_b + "\n\n" +
      markdown_table({"metric", "n", "A", "B", "B − A", "95 % interval", "B better : A better"},
                     rows) +
      "\nPaired by utterance; Student's t interval, which takes the utterances as "
      "independent.\n";
  for (const auto& [name, ids] :
       {std::pair{"A", comparison.only_in_a}, {"B", comparison.only_in_b}}) {
    if (ids.empty()) continue;
    text += format("%d utterances only in %s, left out: %s\n", ids.size(), name, ids_text(ids));
  }
  for (const auto& [name, notes] :
       {std::pair{"A", comparison.notes_a}, {"B", comparison.notes_b}}) {
    for (const std::string& note : notes) text += format("**%s: %s**\n", name, note);
  }
  const Metric& ranked = comparison.differences[comparison.ranked].metric;
  rows.clear();
  for (const auto& row : comparison.worst) {
    rows.push_back({row.id, format("%.*f", ranked.decimals, row.a),
                    format("%.*f", ranked.decimals, row.b),
                    format("%+.*f", ranked.decimals, row.b - row.a)});
  }
  if (rows.empty()) return text;
  return text + format("\nWhere B is worst against A by %s:\n\n", ranked.title) +
         markdown_table({"utterance", "A", "B", "B − A"}, rows);
}

std::string comparison_json(const Comparison& comparison) {
  nlohmann::json object = {{"metrics", nlohmann::json::object()},
                           {"only_in_a", comparison.only_in_a},
                           {"only_in_b", comparison.only_in_b},
                           {"notes_a", comparison.notes_a},
                           {"notes_b", comparison.notes_b},
                           {"worst_by", comparison.differences[comparison.ranked].metric.name},
                           {"worst", nlohmann::json::array()}};
  for (const PairedDifference& d : comparison.differences) {
    auto& entry = object["metrics"][d.metric.name];
    entry = {{"n", d.n},       {"mean_a", d.mean_a}, {"mean_b", d.mean_b},
             {"mean", d.mean}, {"wins", d.wins},     {"losses", d.losses}};
    if (!std::isnan(d.interval)) entry["interval95"] = {d.mean - d.interval, d.mean + d.interval};
  }
  for (const auto& row : comparison.worst) {
    object["worst"].push_back({{"id", row.id}, {"a", row.a}, {"b", row.b}});
  }
  return object.dump();
}

}  // namespace limbeck
