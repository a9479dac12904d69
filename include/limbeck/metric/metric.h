#pragma once

#include <span>
#include <string>
#include <vector>

namespace limbeck {

/// A score of an estimate against its clean reference, as a pure function.
struct Metric {
  std::string name;   ///< key in files and on the command line
  std::string title;  ///< column head in tables, with unit
  int decimals = 2;   ///< in tables
  bool higher_is_better = true;
  /// `clean` and `estimate` have the same length; full scale ±1. Throws DataError where the score
  /// is not defined.
  double (*score)(std::span<const float> clean, std::span<const float> estimate,
                  int rate_hz) = nullptr;
};

/// All metrics in the order of tables.
const std::vector<Metric>& metrics();

/// Metrics by name; "all" stands for every one. Throws ConfigError for an unknown or repeated name.
std::vector<Metric> select_metrics(const std::vector<std::string>& names);

/// Scale-invariant signal-to-distortion ratio in dB, without mean removal (Le Roux et al., arXiv
/// 1811.02508, equation 5), summed in double. Throws DataError for a silent clean signal or
/// estimate; a perfect estimate gives +infinity where the arithmetic does.
double si_sdr(std::span<const float> clean, std::span<const float> estimate, int rate_hz = 0);

}  // namespace limbeck
