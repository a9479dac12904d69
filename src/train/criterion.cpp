#include "train/criterion.h"

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// "dB" of "SI-SDR (dB)".
std::string unit_in(const std::string& title) {
  const size_t open = title.find('(');
  const size_t close = title.find(')', open);
  return close == std::string::npos ? "" : title.substr(open + 1, close - open - 1);
}

}  // namespace

std::string Criterion::text(double value) const {
  return key + " " + (decimals > 0 ? format("%.*f", decimals, value) : format("%.4g", value)) +
         (unit.empty() ? "" : " " + unit);
}

std::string key_prefix(const std::string& set) { return set.empty() ? "" : set + "/"; }

Criterion loss_criterion(const std::string& set) { return {key_prefix(set) + "loss", false}; }

Criterion metric_criterion(const std::string& set, const Metric& metric) {
  return {key_prefix(set) + metric.name, metric.higher_is_better, metric.decimals,
          unit_in(metric.title)};
}

Criterion find_criterion(const std::string& select, const std::vector<std::string>& sets,
                         const std::vector<Metric>& metrics) {
  std::vector<std::string> keys;
  for (const std::string& set : sets) {
    std::vector<Criterion> of_set = {loss_criterion(set)};
    for (const Metric& metric : metrics) of_set.push_back(metric_criterion(set, metric));
    for (const Criterion& criterion : of_set) {
      if (criterion.key == select) return criterion;
      keys.push_back(criterion.key);
    }
  }
  const std::string meant = nearest(select, keys);
  throw ConfigError(format("validation gives no value '%s', but %s%s", select, join(keys, ", "),
                           !meant.empty()             ? "; did you mean '" + meant + "'?"
                           : metric_of_column(select) ? "; add it to train.validation.metrics"
                                                      : std::string()));
}

}  // namespace limbeck
