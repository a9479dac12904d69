#pragma once

#include <cstddef>
#include <string>
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

/// What b differs by from a, where both were measured on the same things.
struct PairedDifference {
  size_t n = 0;  ///< pairs of which both are known
  double mean_a = 0, mean_b = 0;
  double mean = 0;      ///< of b − a
  double interval = 0;  ///< half the width of the 95 % interval of `mean`; NaN for n < 2
  size_t wins = 0;      ///< pairs in which b is better
  size_t losses = 0;    ///< pairs in which a is better
};

/// The values stand in pairs; where one is NaN, the pair is left out. Throws std::invalid_argument
/// for lists of different lengths.
PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b,
                                   bool higher_is_better);

/// "7.50"; empty for NaN.
std::string number_text(double value, int decimals);

/// Mean ± sample standard deviation, "7.50 ± 0.71"; one value has no deviation: "7.50"; none: "".
std::string summary_text(const Summary& summary, int decimals);

/// "+1.50"; with its sign.
std::string difference_text(const PairedDifference& difference, int decimals);

/// "[-4.85, +7.85]", the 95 % interval of the difference; empty where there is none.
std::string interval_text(const PairedDifference& difference, int decimals);

}  // namespace limbeck
