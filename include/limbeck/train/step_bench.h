#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/train/config.h"

namespace limbeck {

/// Medians over the measured steps, in milliseconds.
struct StepTimes {
  double data = 0, forward = 0, backward = 0, optimizer = 0, total = 0;
  int64_t steps = 0;
  int threads = 0;
  std::string device;
  double peak_memory_mib = 0;  ///< of the process
};

/// Times training steps of a configuration after a warm-up of a tenth of `steps`, on its own data.
/// A configuration without terms and teacher is timed as pretraining.
StepTimes time_steps(const DistillConfig& config, int64_t steps);

}  // namespace limbeck
