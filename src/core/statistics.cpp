#include "limbeck/core/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace limbeck {

Summary summarize(const std::vector<double>& values) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Summary summary{values.size(), nan, nan};
  if (values.empty()) return summary;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  summary.mean = sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  if (values.size() > 1) summary.deviation = std::sqrt(squares / (n - 1));
  return summary;
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double interval95(const Summary& summary) {
  if (summary.n < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(summary.n);
  const boost::math::students_t distribution(n - 1);
  return boost::math::quantile(distribution, 0.975) * summary.deviation / std::sqrt(n);
}

}  // namespace limbeck
