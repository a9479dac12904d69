#include "limbeck/metric/metric.h"

#include <algorithm>
#include <set>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "metric/si_sdr.h"
#include "metric/signal_checks.h"

namespace limbeck {
namespace {

constexpr const char* kAll = "all";

/// What a configuration may name: the registered metrics, and all of them.
struct Choices {
  std::vector<std::string> names() const {
    std::vector<std::string> names = metric_registry().names_as_added();
    names.emplace_back(kAll);
    return names;
  }
  std::string help(const std::string& name) const {
    return name == kAll ? "every metric with default options" : metric_registry().help(name);
  }
  std::unique_ptr<config::ComponentOptions> make_options(const std::string& name) const {
    if (name == kAll) return std::make_unique<config::NoOptions>();
    if (!metric_registry().contains(name)) {
      throw ConfigError("unknown metric '" + name + "'; known: " + join(names(), ", "));
    }
    return metric_registry().make_options(name);
  }
};

std::vector<MetricConfig> without_all(const std::vector<MetricConfig>& configs) {
  std::vector<MetricConfig> expanded;
  for (const MetricConfig& config : configs) {
    if (config.chosen.name() != kAll) {
      expanded.push_back(config);
      continue;
    }
    for (const std::string& name : metric_registry().names_as_added()) expanded.emplace_back(name);
  }
  return expanded;
}

/// Why the list cannot be scored; empty if it can.
std::string problem_of(const std::vector<MetricConfig>& configs) {
  if (configs.empty()) return "no metric is named";
  std::set<std::string> columns;
  for (const MetricConfig& config : without_all(configs)) {
    const std::string column = config.column();
    if (!columns.insert(column).second) return "metric '" + column + "' is listed twice";
  }
  return "";
}

/// "{zero_mean: true}": the options that are not the default ones, empty if there are none.
std::string own_options(const MetricConfig& config) {
  const config::Node written = config::to_node(config);
  const config::Node standard = config::to_node(MetricConfig(config.chosen.name()));
  config::Node own = config::Node::make_map({});
  for (const auto& [key, where, value] : written.entries) {
    const config::Node* usual = standard.find(key);
    if (usual && config::to_flow_yaml(value) == config::to_flow_yaml(*usual)) continue;
    own.entries.push_back({key, where, value});
  }
  return own.entries.empty() ? "" : config::to_flow_yaml(own);
}

}  // namespace

ScoredPair::ScoredPair(std::span<const float> clean, std::span<const float> estimate, int rate_hz)
    : clean_(clean), estimate_(estimate), rate_hz_(rate_hz) {
  metric::require_equal_length(clean, estimate, "scoring");
}

double si_sdr(std::span<const float> clean, std::span<const float> estimate) {
  return metric::si_sdr(clean, estimate);
}

MetricConfig::MetricConfig(const std::string& name) : chosen(Choices{}, name) {}

void MetricConfig::describe(config::Visitor& v) {
  v.choice("name", chosen, Choices{}, "which metric");
}

std::string MetricConfig::column() const {
  return chosen.name().empty() ? "" : chosen.name() + own_options(*this);
}

void describe_metrics(config::Visitor& v, std::vector<MetricConfig>& metrics) {
  v.list("metrics", metrics, "what is scored, in the order of the columns", config::any().or_one());
  const std::string problem = problem_of(metrics);
  v.require(problem.empty(), "metrics", problem);
}

std::vector<Metric> build_metrics(const std::vector<MetricConfig>& configs) {
  const std::string problem = problem_of(configs);
  if (!problem.empty()) throw ConfigError(problem);
  std::vector<Metric> metrics;
  for (const MetricConfig& config : without_all(configs)) {
    Metric metric = std::move(*metric_registry().build(config.chosen.name(), *config.chosen));
    const std::string options = own_options(config);
    metric.name = config.chosen.name() + options;
    if (!options.empty()) metric.title += " " + options;
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::optional<Metric> metric_of_column(const std::string& column) {
  const std::string name = column.substr(0, column.find('{'));
  if (!metric_registry().contains(name)) return std::nullopt;
  config::Diagnostics diagnostics;
  config::Node node = config::parse_yaml(column.substr(name.size()), column, diagnostics);
  if (!node.is_map()) return std::nullopt;
  node.child("name", node.where) = config::Node::make_scalar(name, node.where);
  const auto config = config::read<MetricConfig>(node, diagnostics);
  if (!diagnostics.empty() || config.column() != column) return std::nullopt;
  return build_metrics({config}).front();
}

}  // namespace limbeck
