#include "limbeck/core/statistics.h"

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

double interval95(const Summary& summary) {
  if (summary.n < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(summary.n);
  const boost::math::students_t distribution(n - 1);
  return boost::math::quantile(distribution, 0.975) * summary.deviation / std::sqrt(n);
}

}  // namespace limbeck
