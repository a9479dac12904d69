#include "limbeck/eval/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "eval/result_files.h"
#include "eval/result_text.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/table.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Rows of both sides with one id.
struct Pair {
  const UtteranceScores* a;
  const UtteranceScores* b;
};

/// A metric that both sides have.
struct Common {
  size_t in_a, in_b;
};

std::vector<Common> common_metrics(const ResultTable& a, const ResultTable& b) {
  std::vector<Common> common;
  for (size_t m = 0; m < a.metrics.size(); ++m) {
    if (const auto k = b.find(a.metrics[m].name)) common.push_back({m, *k});
  }
  return common;
}

/// Throws DataError if two rows of one id cannot be of one recording.
void require_same_recording(const ResultTable& a, const std::vector<Common>& metrics,
                            const Pair& pair) {
  // Files that were cut, resampled or aligned may differ in the last samples.
  if (std::abs(pair.a->seconds - pair.b->seconds) > 0.02) {
    throw DataError(format("%s: %g s in one and %g s in the other: not the same recordings",
                           pair.a->id, pair.a->seconds, pair.b->seconds));
  }
  for (const Common& metric : metrics) {
    const double in_a = pair.a->score(metric.in_a, true);
    const double in_b = pair.b->score(metric.in_b, true);
    if (!(std::abs(in_a - in_b) > 0.01)) continue;  // nor where one is not known
    throw DataError(
        format("%s: %s of the noisy side is %g in one and %g in the other: not the same recordings",
               pair.a->id, a.metrics[metric.in_a].name, in_a, in_b));
  }
}

/// The utterances in both; lists those in one only.
std::vector<Pair> pairs_of(const ResultTable& a, const ResultTable& b, Comparison& comparison) {
  std::map<std::string, const UtteranceScores*> left;
  for (const auto& row : b.runs.front().rows) left[row.id] = &row;
  const auto metrics = common_metrics(a, b);
  std::vector<Pair> pairs;
  for (const auto& row : a.runs.front().rows) {
    const auto found = left.find(row.id);
    if (found == left.end()) {
      comparison.only_in_a.push_back(row.id);
      continue;
    }
    pairs.push_back({&row, found->second});
    require_same_recording(a, metrics, pairs.back());
    left.erase(found);
  }
  for (const auto& [id, row] : left) comparison.only_in_b.push_back(id);
  return pairs;
}

/// Both sides of the pairs in one table: of the metrics that both have, without the noisy side.
ResultTable joined(const ResultTable& a, const ResultTable& b, const std::vector<Common>& metrics,
                   const std::vector<Pair>& pairs) {
  ResultTable both;
  RunResults left{a.runs.front().name}, right{b.runs.front().name};
  left.failures = a.runs.front().failures;
  right.failures = b.runs.front().failures;
  for (const Common& metric : metrics) both.metrics.push_back(a.metrics[metric.in_a]);
  for (const Pair& pair : pairs) {
    auto& of_a =
        left.rows.emplace_back(UtteranceScores{pair.a->id, pair.a->seconds, {}, {}, {}, {}});
    auto& of_b =
        right.rows.emplace_back(UtteranceScores{pair.a->id, pair.a->seconds, {}, {}, {}, {}});
    of_a.cut_samples = pair.a->cut_samples;
    of_b.cut_samples = pair.b->cut_samples;
    for (const Common& metric : metrics) {
      of_a.scores.push_back(pair.a->score(metric.in_a));
      of_b.scores.push_back(pair.b->score(metric.in_b));
    }
  }
  both.runs = {std::move(left), std::move(right)};
  return both;
}

std::vector<UtteranceDifference> scored_in_both(const ResultTable& both, size_t metric) {
  std::vector<UtteranceDifference> rows;
  for (size_t i = 0; i < both.runs[0].rows.size(); ++i) {
    const double a = both.runs[0].rows[i].score(metric);
    const double b = both.runs[1].rows[i].score(metric);
    if (!std::isnan(a) && !std::isnan(b)) rows.push_back({both.runs[0].rows[i].id, a, b});
  }
  return rows;
}

MetricDifference difference_of(const Metric& metric, const std::vector<UtteranceDifference>& rows) {
  std::vector<double> a, b;
  for (const auto& row : rows) {
    a.push_back(row.a);
    b.push_back(row.b);
  }
  return {metric, paired_difference(a, b, metric.higher_is_better)};
}

/// The scores of a folder of results, under the name that texts give it.
ResultTable read_side(const std::string& folder, const std::string& name) {
  ResultTable table = read_scores(scores_file(folder));
  read_versions(folder, table);
  table.runs.front().failures = read_failures(folder);
  table.runs.front().name = name;
  return table;
}

/// How files were treated before they were scored (FitOptions), if the results say so.
std::optional<Identity> fit_of(const std::string& folder) {
  try {
    const auto stored = read_results(folder);
    const config::Node* fit = stored ? stored->identity.facts().find("fit") : nullptr;
    return fit ? std::optional(Identity("fit", 1, *fit)) : std::nullopt;
  } catch (const ConfigError&) {  // results of others
    return std::nullopt;
  }
}

std::vector<std::string> fit_differences(const std::string& folder_a, const std::string& folder_b) {
  const auto a = fit_of(folder_a), b = fit_of(folder_b);
  std::vector<std::string> texts;
  if (!a || !b) return texts;
  for (const auto& difference : a->differences(*b)) {
    texts.push_back("files were treated otherwise (A → B): " + difference);
  }
  return texts;
}

std::vector<std::string> warnings_of(const ResultTable& a, const ResultTable& b) {
  std::vector<std::string> warnings;
  for (const Common& metric : common_metrics(a, b)) {
    const Metric& in_a = a.metrics[metric.in_a];
    const Metric& in_b = b.metrics[metric.in_b];
    if (in_a.version == in_b.version) continue;
    warnings.push_back(format("%s is of version %d in A and %d in B: not the same measure",
                              in_a.name, in_a.version, in_b.version));
  }
  for (auto& text : environment_differences({&a.runs.front(), &b.runs.front()})) {
    warnings.push_back(std::move(text));
  }
  return warnings;
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
  const ResultTable a = read_side(folder_a, "A");
  const ResultTable b = read_side(folder_b, "B");
  Comparison comparison;
  comparison.notes_a = a.runs.front().notes;
  comparison.notes_b = b.runs.front().notes;
  comparison.warnings = warnings_of(a, b);
  for (auto& text : fit_differences(folder_a, folder_b)) {
    comparison.warnings.push_back(std::move(text));
  }
  const auto pairs = pairs_of(a, b, comparison);
  const ResultTable both = joined(a, b, common_metrics(a, b), pairs).paired();
  comparison.left_out = both.left_out;
  if (const std::string cut = cut_text(both); !cut.empty()) comparison.left_out.push_back(cut);

  std::vector<std::vector<UtteranceDifference>> rows;
  std::vector<std::string> common;
  for (size_t m = 0; m < both.metrics.size(); ++m) {
    auto scored = scored_in_both(both, m);
    if (scored.empty()) continue;
    const Metric& metric = both.metrics[m];
    if (metric.name == rank_by) comparison.ranked = common.size();
    common.push_back(metric.name);
    comparison.differences.push_back(difference_of(metric, scored));
    rows.push_back(std::move(scored));
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
  for (const auto& [metric, d] : comparison.differences) {
    const int decimals = metric.decimals;
    rows.push_back({metric.title, format("%d", d.n), number_text(d.mean_a, decimals),
                    number_text(d.mean_b, decimals), difference_text(d, decimals),
                    interval_text(d, decimals), format("%d : %d", d.wins, d.losses)});
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
  for (const std::string& left_out : comparison.left_out) text += left_out + "\n";
  for (const auto& [name, notes] :
       {std::pair{"A", comparison.notes_a}, {"B", comparison.notes_b}}) {
    for (const std::string& note : notes) text += format("**%s: %s**\n", name, note);
  }
  for (const std::string& warning : comparison.warnings) text += "**" + warning + "**\n";
  const Metric& ranked = comparison.differences[comparison.ranked].metric;
  rows.clear();
  for (const auto& row : comparison.worst) {
    rows.push_back({row.id, number_text(row.a, ranked.decimals),
                    number_text(row.b, ranked.decimals),
                    format("%+.*f", ranked.decimals, row.b - row.a)});
  }
  if (rows.empty()) return text;
  return text + format("\nWhere B is worst against A by %s:\n\n", ranked.title) +
         markdown_table({"utterance", "A", "B", "B − A"}, rows);
}

namespace {

std::vector<std::string> escaped(std::vector<std::string> ids) {
  for (std::string& id : ids) id = escape_bytes(id);
  return ids;
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
  nlohmann::json object = {{"metrics", nlohmann::json::object()},
                           {"only_in_a", escaped(comparison.only_in_a)},
                           {"only_in_b", escaped(comparison.only_in_b)},
                           {"left_out", comparison.left_out},
                           {"notes_a", comparison.notes_a},
                           {"notes_b", comparison.notes_b},
                           {"warnings", comparison.warnings},
                           {"worst_by", comparison.differences[comparison.ranked].metric.name},
                           {"worst", nlohmann::json::array()}};
  for (const auto& [metric, d] : comparison.differences) {
    auto& entry = object["metrics"][metric.name];
    entry = {{"n", d.n},       {"mean_a", d.mean_a}, {"mean_b", d.mean_b},
             {"mean", d.mean}, {"wins", d.wins},     {"losses", d.losses}};
    if (!std::isnan(d.interval)) entry["interval95"] = {d.mean - d.interval, d.mean + d.interval};
  }
  for (const auto& row : comparison.worst) {
    object["worst"].push_back({{"id", escape_bytes(row.id)}, {"a", row.a}, {"b", row.b}});
  }
  return json_text(object);
}

}  // namespace limbeck
