#include "limbeck/study/statistics.h"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <stdexcept>

#include "study/statistics_parts.h"

namespace limbeck {

std::vector<double> known_values(const std::vector<double>& values) {
  std::vector<double> known;
  std::copy_if(values.begin(), values.end(), std::back_inserter(known),
               [](double value) { return !std::isnan(value); });
  return known;
}

size_t pairs_needed(double alpha) {
  size_t n = 1;
  while (std::exp2(1 - static_cast<double>(n)) > alpha) ++n;
  return n;
}

double detectable_difference(double deviation, size_t n) {
  if (n < 2 || std::isnan(deviation)) return std::numeric_limits<double>::quiet_NaN();
  const auto pairs = static_cast<double>(n);
  const double critical = boost::math::quantile(boost::math::students_t(pairs - 1), 0.975);
  const auto missing_power = [&](double non_centrality) {
    const boost::math::non_central_t t(pairs - 1, non_centrality);
    return 0.8 - boost::math::cdf(boost::math::complement(t, critical)) -
           boost::math::cdf(t, -critical);
  };
  double high = critical;
  while (missing_power(high) > 0) high *= 2;
  std::uintmax_t iterations = 100;
  const auto [below, above] = boost::math::tools::toms748_solve(
      missing_power, 0.0, high, boost::math::tools::eps_tolerance<double>(), iterations);
  return (below + above) / 2 * deviation / std::sqrt(pairs);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return p[i] < p[j]; });
  std::vector<double> corrected = p;
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double scaled = p[order[rank]] * static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, scaled));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

CompletePart complete_part(const std::vector<std::vector<double>>& values) {
  CompletePart part;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() != values[0].size()) throw std::invalid_argument("rows differ in length");
    if (!known_values(values[i]).empty()) part.rows.push_back(i);
  }
  for (size_t j = 0; !part.rows.empty() && j < values[0].size(); ++j) {
    if (std::none_of(part.rows.begin(), part.rows.end(),
                     [&](size_t i) { return std::isnan(values[i][j]); })) {
      part.columns.push_back(j);
    }
  }
  return part;
}

std::optional<VarianceComponents> variance_components(
    const std::vector<std::vector<double>>& values) {
  const auto [rows, columns] = complete_part(values);
  if (rows.size() < 2 || columns.size() < 2) return std::nullopt;
  const auto teachers = static_cast<double>(rows.size());
  const auto students = static_cast<double>(columns.size());
  std::vector<double> of_teacher(rows.size()), of_student(columns.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < columns.size(); ++j) {
      of_teacher[i] += values[rows[i]][columns[j]] / students;
      of_student[j] += values[rows[i]][columns[j]] / teachers;
    }
  }
  const double mean = summarize(of_teacher).mean;
  double squares = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < columns.size(); ++j) {
      const double rest = values[rows[i]][columns[j]] - of_teacher[i] - of_student[j] + mean;
      squares += rest * rest;
    }
  }
  // The variance of means of `students` values holds the residual's in that part.
  const double residual = squares / ((teachers - 1) * (students - 1));
  const double teacher = std::pow(summarize(of_teacher).deviation, 2) - residual / students;
  const double student = std::pow(summarize(of_student).deviation, 2) - residual / teachers;
  VarianceComponents result{rows.size(), columns.size()};
  result.teacher = std::max(0.0, teacher);
  result.student = std::max(0.0, student);
  result.residual = residual;
  result.clipped = teacher < 0 || student < 0;
  return result;
}

}  // namespace limbeck
