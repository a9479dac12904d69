#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/core/json.h"
#include "study/report_text.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no number that is not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json bounds(const Interval& interval) {
  return std::isnan(interval.low) ? Json() : Json{number(interval.low), number(interval.high)};
}

Json around(double mean, double half) {
  return std::isnan(half) ? Json() : Json{number(mean - half), number(mean + half)};
}

Json scores_json(const SystemScores& scores) {
  Json json = {{"n", scores.runs.n},
               {"mean", number(scores.runs.mean)},
               {"std", number(scores.runs.deviation)},
               {"interval95", around(scores.units.mean, interval95(scores.units))},
               {"iqm", number(scores.middle.mean)},
               {"iqm_interval95", bounds(scores.middle.interval)},
               {"values", Json::array()}};
  for (const double value : scores.values) json["values"].push_back(number(value));
  if (scores.variances) {
    const VarianceComponents& v = *scores.variances;
    json["variances"] = {{"teachers", v.teachers}, {"students", v.students},
                         {"teacher", v.teacher},   {"student", v.student},
                         {"residual", v.residual}, {"clipped", v.clipped}};
  }
  return json;
}

Json system_json(const SystemRow& row, const SetReport& set) {
  const char* kinds[] = {"noisy", "teacher", "student"};
  Json json = {{"kind", kinds[static_cast<size_t>(row.kind)]},
               {"scenario", row.scenario},
               {"sweep", row.sweep},
               {"method", row.method}};
  if (!row.runs.empty()) {
    json["parameters"] = row.runs.front()->parameters;
    json["macs_per_second"] = row.runs.front()->macs_per_second;
  }
  if (row.kind != SystemKind::noisy) {
    json["planned"] = row.planned();
    json["skipped_steps"] = row.skipped_steps;
    json["runs"] = Json::array();
    for (const ScoredRun* run : row.runs) {
      json["runs"].push_back({{"id", run->id},
                              {"seed", run->seed},
                              {"teacher_seed", run->teacher_seed},
                              {"skipped_steps", run->skipped_steps}});
    }
  }
  Json& metrics = json["metrics"] = Json::object();
  for (size_t m = 0; m < row.scores.size(); ++m) {
    metrics[set.table.metrics[m].name] = scores_json(row.scores[m]);
  }
  return json;
}

Json difference_json(const ArmMetric& difference) {
  const PairedAnalysis& a = difference.analysis;
  Json json = {{"n", a.difference.n},
               {"mean", number(a.difference.mean)},
               {"std", number(a.deviation)},
               {"interval95", around(a.difference.mean, a.difference.interval)},
               {"t", number(a.t)},
               {"p_t", number(a.p)},
               {"p_permutation", number(a.permutation_p)},
               {"permutation_exact", a.permutation_exact},
               {"permutation_smallest_p", number(a.permutation_smallest_p)},
               {"hedges_g", number(a.hedges_g)},
               {"probability_of_improvement", number(a.improvement.probability)},
               {"probability_of_improvement_interval95", bounds(a.improvement.interval)},
               {"detectable", number(a.detectable)},
               {"wins", a.difference.wins},
               {"losses", a.difference.losses},
               {"values", Json::array()}};
  for (const double value : difference.values) json["values"].push_back(number(value));
  return json;
}

Json comparison_json(const ArmDifference& d, const SetReport& set) {
  Json json = {{"scenario", d.scenario}, {"sweep", d.sweep},
               {"method", d.method},     {"reference", d.reference},
               {"named", d.is_named},    {"unit", d.unit == Unit::seed ? "seed" : "teacher_seed"},
               {"units", d.units},       {"p_holm", number(d.holm_p)}};
  if (d.bootstrap) {
    json["bootstrap"] = {{"seeds", d.bootstrap->seeds},
                         {"speakers", d.bootstrap->speakers},
                         {"utterances", d.bootstrap->utterances},
                         {"mean", number(d.bootstrap->mean)},
                         {"interval95", bounds(d.bootstrap->interval)}};
  }
  Json& metrics = json["metrics"] = Json::object();
  for (size_t m = 0; m < d.metrics.size(); ++m) {
    metrics[set.table.metrics[m].name] = difference_json(d.metrics[m]);
  }
  return json;
}

Json set_json(const SetReport& set) {
  Json json = {{"name", set.name},
               {"notes", set.notes},
               {"left_out", set.table.left_out},
               {"systems", Json::array()},
               {"comparisons", Json::array()}};
  for (const SystemRow& row : set.systems) json["systems"].push_back(system_json(row, set));
  for (const ArmDifference& d : set.differences) {
    json["comparisons"].push_back(comparison_json(d, set));
  }
  return json;
}

Json search_json(const SearchOutcome& outcome) {
  Json json = {{"scenario", outcome.scenario},
               {"method", outcome.method},
               {"by", outcome.by},
               {"higher_is_better", outcome.higher_is_better},
               {"chosen", outcome.chosen ? Json(outcome.points[*outcome.chosen].name) : Json()},
               {"points", Json::array()}};
  for (const auto& point : outcome.points) {
    Json values = Json::array();
    for (const double value : point.values) values.push_back(number(value));
    json["points"].push_back({{"name", point.name}, {"values", values}});
  }
  return json;
}

}  // namespace

std::string report_json(const StudyConfig& config, const StudyResults& results,
                        const ReportData& data) {
  Json json = {{"version", kSummaryVersion},
               {"study", config.study.name},
               {"partial", !results.missing.empty()},
               {"seeds", config.study.seeds},
               {"teacher_seeds", config.study.teacher_seeds},
               {"sweep", data.has_sweep ? Json(results.sweep) : Json::array()},
               {"primary", results.metrics[data.primary].name},
               {"baseline", config.study.baseline},
               {"holm_family", data.family},
               {"metrics", Json::array()},
               {"sets", Json::array()},
               {"searches", Json::array()},
               {"missing", Json::array()},
               {"unfair", results.unfair},
               {"warnings", data.warnings}};
  for (const Metric& metric : results.metrics) {
    json["metrics"].push_back({{"name", metric.name},
                               {"title", metric.title},
                               {"version", metric.version},
                               {"higher_is_better", metric.higher_is_better}});
  }
  for (const SetReport& set : data.sets) json["sets"].push_back(set_json(set));
  for (const SearchOutcome& outcome : results.searches) {
    json["searches"].push_back(search_json(outcome));
  }
  for (const MissingRun& missing : results.missing) {
    json["missing"].push_back(
        {{"run", missing.label}, {"set", missing.set}, {"reason", missing.reason}});
  }
  // A name that is no UTF-8 does not keep the rest from being written.
  return json_text(json, 2) + "\n";
}

}  // namespace limbeck
