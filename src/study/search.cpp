#include "study/search.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/metric/metric.h"
#include "limbeck/run/run_summary.h"
#include "study/folder_name.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// The best that a point's training has found; NaN if it diverged. Throws Error if it has not
/// ended.
double best_value(const fs::path& run, std::string& by) {
  const RunView view(run);
  if (view.diverged()) return NAN;
  if (!view.finished()) {  // its process may hold it a little longer
    throw DataError(run.string() + ": the search has not ended: this training is " +
                    to_string(view.state()));
  }
  const RunSummary summary = summarize_run(run);
  if (!summary.best) {
    throw DataError(run.string() +
                    ": says nothing of its best checkpoint: " + join(summary.problems, "; "));
  }
  by = summary.best->metric;
  return summary.best->value;
}

/// Of a value of validation: "loss", or a metric, of whatever set.
bool is_higher_better(const std::string& value) {
  const auto metric = metric_of_column(value.substr(value.rfind('/') + 1));
  return metric && metric->higher_is_better;
}

/// NaN where a run diverged.
double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::optional<size_t> best_point(const SearchOutcome& outcome) {
  std::optional<size_t> best;
  double best_mean = 0;
  for (size_t p = 0; p < outcome.points.size(); ++p) {
    const double mean = mean_of(outcome.points[p].values);
    if (std::isnan(mean)) continue;
    const bool is_better = outcome.higher_is_better ? mean > best_mean : mean < best_mean;
    if (best && !is_better) continue;
    best = p;
    best_mean = mean;
  }
  return best;
}

nlohmann::json to_json(const SearchOutcome& outcome, const std::vector<SettingPoint>& points) {
  const auto number = [](double value) {
    return std::isnan(value) ? nlohmann::json() : nlohmann::json(value);
  };
  nlohmann::json all = {{"scenario", outcome.scenario},
                        {"method", outcome.method},
                        {"by", outcome.by},
                        {"higher_is_better", outcome.higher_is_better},
                        {"chosen", nullptr},
                        {"points", nlohmann::json::array()}};
  if (outcome.chosen) all["chosen"] = *outcome.chosen + 1;
  for (size_t p = 0; p < points.size(); ++p) {
    nlohmann::json settings = nlohmann::json::object();
    for (const auto& [key, value] : points[p].settings) settings[key] = to_flow_yaml(value);
    nlohmann::json values = nlohmann::json::array();
    for (const double value : outcome.points[p].values) values.push_back(number(value));
    all["points"].push_back({{"point", p + 1},
                             {"settings", settings},
                             {"values", values},
                             {"mean", number(mean_of(outcome.points[p].values))}});
  }
  return all;
}

}  // namespace

size_t search_scenario(const StudyConfig& config, size_t scenario) {
  const std::string& name = config.study.search.scenario;
  for (size_t s = 0; s < config.scenarios.size(); ++s) {
    if (!name.empty() && config.scenarios[s].name == name) return s;
  }
  return scenario;
}

SearchOutcome search_outcome(const StudyConfig& config, const StudyPlan& plan, size_t scenario,
                             size_t method, const RunFolders& folder_of) {
  const size_t searched = search_scenario(config, scenario);
  SearchOutcome outcome;
  outcome.scenario = config.scenarios[searched].name;
  outcome.method = config.methods[method].name;
  for (const SettingPoint& point : plan.search[method]) outcome.points.push_back({point.name, {}});
  for (const StudyNode& node : plan.nodes) {
    if (node.kind != NodeKind::point || node.scenario != searched || node.method != method)
      continue;
    outcome.points[node.point].values.push_back(best_value(folder_of(node), outcome.by));
  }
  outcome.higher_is_better = is_higher_better(outcome.by);
  outcome.chosen = best_point(outcome);
  return outcome;
}

size_t chosen_point(const StudyConfig& config, const StudyPlan& plan, const StudyNode& student,
                    const RunFolders& folder_of) {
  const auto outcome = search_outcome(config, plan, student.scenario, student.method, folder_of);
  if (outcome.chosen) return *outcome.chosen;
  throw DataError(
      format("search: scenario '%s', method '%s': no point has a training that did not "
             "diverge; give it other values",
             outcome.scenario, outcome.method));
}

void write_choices(const StudyConfig& config, const StudyPlan& plan) {
  const auto links = [&](const StudyNode& node) { return plan.dir / node.id; };
  for (size_t s = 0; s < config.scenarios.size(); ++s) {
    if (search_scenario(config, s) != s) continue;
    for (size_t m = 0; m < config.methods.size(); ++m) {
      if (plan.search[m].empty()) continue;
      std::string text;
      try {
        text =
            json_text(to_json(search_outcome(config, plan, s, m, links), plan.search[m]), 2) + "\n";
      } catch (const Error&) {  // has not ended
        continue;
      }
      const fs::path file = plan.dir / "search" / folder_name(config.scenarios[s].name) /
                            folder_name(config.methods[m].name) / "choice.json";
      on_disk([&] {
        if (!fs::exists(file) || read_file(file) != text) write_file_atomically(file, text);
      });
    }
  }
}

}  // namespace limbeck
