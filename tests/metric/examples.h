#pragma once
// One row a metric: what the suites over all of them need to know. A metric without a row fails.

#include <string>
#include <vector>

namespace limbeck::metric::test {

/// What a change of the estimate does to the value.
enum class Effect {
  none,     // but for rounding
  visible,  // more than rounding
  some,     // neither is promised
};

struct Example {
  std::string column;       // with options, if they are not the default ones
  double best;              // of equal signals
  Effect gain;              // of another level of the estimate
  Effect offset;            // of a constant added to it
  double tolerance = 1e-6;  // relative, between compilers and instruction sets
};

inline std::vector<Example> examples() {
  using enum Effect;
  return {
      {"pesq_wb", 4.643888, none, some, 1e-4},
      {"pesq_nb", 4.548638, none, some, 1e-4},
      {"csig", 5, some, some, 1e-4},
      {"cbak", 5, visible, visible, 1e-4},
      {"covl", 5, some, some, 1e-4},
      // Of bands that hold little beside others, rounding of the resampled signal is seen.
      {"stoi", 1, none, some, 1e-5},
      {"estoi", 1, none, some, 1e-5},
      {"si_sdr", 156.5356, none, visible},
      {"si_sdr{zero_mean: true}", 156.5356, none, none},
      {"ssnr", 35, visible, visible},
      {"ssnr{minimum_db: -20, maximum_db: 60}", 60, visible, visible},
      {"llr", 0, none, some},
      {"wss", 0, some, some},
  };
}

}  // namespace limbeck::metric::test
