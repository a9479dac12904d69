#include "limbeck/core/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "limbeck/core/format.h"

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

PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b,
                                   bool higher_is_better) {
  if (a.size() != b.size()) throw std::invalid_argument("values that are not in pairs");
  PairedDifference result;
  std::vector<double> known_a, known_b, differences;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    known_a.push_back(a[i]);
    known_b.push_back(b[i]);
    differences.push_back(b[i] - a[i]);
    const double gain = higher_is_better ? b[i] - a[i] : a[i] - b[i];
    result.wins += gain > 0;
    result.losses += gain < 0;
  }
  const Summary summary = summarize(differences);
  result.n = summary.n;
  result.mean_a = summarize(known_a).mean;
  result.mean_b = summarize(known_b).mean;
  result.mean = summary.mean;
  result.interval = interval95(summary);
  return result;
}

std::string number_text(double value, int decimals) {
  return std::isnan(value) ? "" : format("%.*f", decimals, value);
}

std::string summary_text(const Summary& summary, int decimals) {
  const std::string mean = number_text(summary.mean, decimals);
  return summary.n < 2 ? mean : mean + " ± " + number_text(summary.deviation, decimals);
}

std::string difference_text(const PairedDifference& difference, int decimals) {
  return std::isnan(difference.mean) ? "" : format("%+.*f", decimals, difference.mean);
}

std::string interval_text(const PairedDifference& difference, int decimals) {
  if (std::isnan(difference.interval)) return "";
  return format("[%+.*f, %+.*f]", decimals, difference.mean - difference.interval, decimals,
                difference.mean + difference.interval);
}

}  // namespace limbeck
