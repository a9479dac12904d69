#pragma once

#include <cstddef>
#include <vector>

#include "limbeck/study/statistics.h"

namespace limbeck {

/// The part of a grid of values that has no gap: the rows that hold any value, and of the columns
/// those that all of these rows have a value of.
struct CompletePart {
  std::vector<size_t> rows, columns;
};

/// Throws std::invalid_argument for rows of different lengths.
CompletePart complete_part(const std::vector<std::vector<double>>& values);

/// The 2.5th and 97.5th percentiles, linear between values (NumPy's default).
Interval percentile_interval(std::vector<double> values);

}  // namespace limbeck
