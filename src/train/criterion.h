#pragma once

#include <string>
#include <vector>

#include "limbeck/metric/metric.h"

namespace limbeck {

/// A value of validation by which checkpoints can be told apart.
struct Criterion {
  std::string key;  ///< in metrics.jsonl
  bool higher_is_better = true;
  int decimals = 0;  ///< 0: as many as four digits need
  std::string unit = {};

  /// By more than `by`.
  bool is_better(double value, double than, double by = 0) const {
    return higher_is_better ? value > than + by : value < than - by;
  }
  /// The value, or its negative, so that more is better.
  double gain(double value) const { return higher_is_better ? value : -value; }
  /// "si_sdr 12.34 dB"
  std::string text(double value) const;
};

/// How the keys of a set's values start: "" for the main one, else "NAME/".
std::string key_prefix(const std::string& set);

/// The loss of a set.
Criterion loss_criterion(const std::string& set);
/// The mean of a metric over a set.
Criterion metric_criterion(const std::string& set, const Metric& metric);

/// That whose key is `select`. Throws ConfigError that names the choices.
Criterion find_criterion(const std::string& select, const std::vector<std::string>& sets,
                         const std::vector<Metric>& metrics);

}  // namespace limbeck
