#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <cstdint>

#include "limbeck/study/statistics.h"

namespace limbeck {
namespace {

constexpr size_t kMostCounted = 20;  // pairs: a million ways to swap them

void t_test(PairedAnalysis& analysis) {
  const auto n = static_cast<double>(analysis.difference.n);
  if (n < 2) {
    analysis.t = analysis.p = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  const double mean = analysis.difference.mean;
  analysis.t = mean == 0 ? 0 : mean / (analysis.deviation / std::sqrt(n));
  const boost::math::students_t distribution(n - 1);
  analysis.p =
      std::isinf(analysis.t)
          ? 0
          : 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(analysis.t)));
}

/// How many of the ways to give each value from `i` on a sign bring the sum as far from 0 as
/// `limit`.
size_t count_far(const std::vector<double>& values, size_t i, double sum, double limit) {
  if (i == values.size()) return std::abs(sum) >= limit ? 1 : 0;
  return count_far(values, i + 1, sum + values[i], limit) +
         count_far(values, i + 1, sum - values[i], limit);
}

size_t draw_far(const std::vector<double>& values, double limit, SeedKey key) {
  Random random(key);
  size_t far = 0;
  for (size_t draw = 0; draw < kResamples; ++draw) {
    double sum = 0;
    uint64_t signs = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      signs = i % 64 == 0 ? random.bits() : signs >> 1;
      sum += (signs & 1) != 0 ? values[i] : -values[i];
    }
    far += std::abs(sum) >= limit;
  }
  return far;
}

void permutation_test(PairedAnalysis& analysis, const std::vector<double>& differences,
                      SeedKey key) {
  if (differences.empty()) {
    analysis.permutation_p = analysis.permutation_smallest_p =
        std::numeric_limits<double>::quiet_NaN();
    return;
  }
  double sum = 0, magnitude = 0;
  for (const double difference : differences) {
    sum += difference;
    magnitude += std::abs(difference);
  }
  // Sums that are equal but for rounding count as equally far.
  const double limit = std::abs(sum) - 1e-12 * magnitude;
  const double ways = std::exp2(static_cast<double>(differences.size()));
  analysis.permutation_smallest_p = 2 / ways;
  analysis.permutation_exact = differences.size() <= kMostCounted;
  if (analysis.permutation_exact) {
    analysis.permutation_p = static_cast<double>(count_far(differences, 0, 0, limit)) / ways;
  } else {
    const size_t far = draw_far(differences, limit, key);
    analysis.permutation_p = static_cast<double>(far + 1) / static_cast<double>(kResamples + 1);
  }
}

double hedges_g(const std::vector<double>& a, const std::vector<double>& b, double difference) {
  if (a.size() < 3) return std::numeric_limits<double>::quiet_NaN();
  if (difference == 0) return 0;
  const double freedom = static_cast<double>(a.size()) - 1;
  const double correction =
      1 / (boost::math::tgamma_delta_ratio((freedom - 1) / 2, 0.5) * std::sqrt(freedom / 2));
  const double spread = std::hypot(summarize(a).deviation, summarize(b).deviation) / std::sqrt(2.0);
  return correction * difference / spread;
}

}  // namespace

PairedAnalysis analyze_pairs(const std::vector<double>& a, const std::vector<double>& b,
                             bool higher_is_better, SeedKey key) {
  PairedAnalysis analysis;
  analysis.difference = paired_difference(a, b, higher_is_better);
  std::vector<double> of_a, of_b, differences;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    of_a.push_back(a[i]);
    of_b.push_back(b[i]);
    differences.push_back(b[i] - a[i]);
  }
  analysis.deviation = summarize(differences).deviation;
  t_test(analysis);
  permutation_test(analysis, differences, key.with("signs"));
  analysis.hedges_g = hedges_g(of_a, of_b, analysis.difference.mean);
  analysis.improvement =
      probability_of_improvement({of_a}, {of_b}, higher_is_better, key.with("improvement"));
  analysis.detectable = detectable_difference(analysis.deviation, differences.size());
  return analysis;
}

}  // namespace limbeck
