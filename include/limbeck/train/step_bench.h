#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/train/config.h"

namespace limbeck {

/// Medians over the measured steps, in milliseconds.
struct StepTimes {
  std::string name;  ///< empty where there is but one
  double data = 0, forward = 0, backward = 0, optimizer = 0, total = 0;
};

struct StepBench {
  std::vector<StepTimes> rows;
  int64_t steps = 0;
  int threads = 0;
  std::string device;
  double peak_memory_mib = 0;  ///< of the process
};

/// Times training steps of a configuration after a warm-up of a tenth of `steps`, on its own data.
/// Without distillation terms it is timed as pretraining. With terms there are three rows, which
/// take each batch in turn: the student alone, with the teacher, and with what the teacher says
/// read from a cache (a scratch folder, so from the memory that the system keeps files in). What
/// calibration costs in the first steps (distill.balance) is left out.
StepBench time_steps(const TrainingConfig& config, int64_t steps);

}  // namespace limbeck
