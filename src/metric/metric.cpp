#include "limbeck/metric/metric.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table = {
      {"si_sdr", "SI-SDR (dB)", 2, true, si_sdr},
  };
  return table;
}

std::vector<Metric> select_metrics(const std::vector<std::string>& names) {
  if (names == std::vector<std::string>{"all"}) return metrics();
  std::vector<Metric> selected;
  for (const std::string& name : names) {
    const auto is_named = [&](const Metric& metric) { return metric.name == name; };
    const auto found = std::find_if(metrics().begin(), metrics().end(), is_named);
    if (found == metrics().end()) {
      std::vector<std::string> known;
      for (const Metric& metric : metrics()) known.push_back(metric.name);
      throw ConfigError("unknown metric '" + name + "'; known: " + join(known, ", ") + ", all");
    }
    if (std::any_of(selected.begin(), selected.end(), is_named)) {
      throw ConfigError("metric '" + name + "' is listed twice");
    }
    selected.push_back(*found);
  }
  if (selected.empty()) throw ConfigError("no metric is named");
  return selected;
}

}  // namespace limbeck
