#pragma once

#include <cstddef>
#include <vector>

namespace limbeck {

struct Summary {
  size_t n = 0;
  double mean = 0;
  double deviation = 0;  ///< sample standard deviation (n − 1); NaN for n < 2
};

/// NaN for no values.
Summary summarize(const std::vector<double>& values);

/// Middle value, or the mean of the two middle ones; NaN for no values.
double median(std::vector<double> values);

/// Half the width of the 95 % interval of a mean by Student's t with n − 1 degrees of freedom; NaN
/// for n < 2.
double interval95(const Summary& summary);

}  // namespace limbeck
