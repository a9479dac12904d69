#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limbeck/study/cost.h"

namespace limbeck {

/// What a step of a training takes.
struct StepCost {
  double seconds = 0;
  int64_t checkpoint_bytes = 0;
  int64_t said_bytes = 0;  ///< of what the teacher says of a batch, where that is kept
};

/// Times steps of trainings, each kind of them once.
class StepProbe {
 public:
  /// Of a step with, or without, the terms of the configuration. Throws as `estimate_cost` does.
  const StepCost& of(const PlannedTraining& training, bool distills);

 private:
  std::map<std::string, StepCost> known_;
};

/// As without a probe.
StudyCost estimate_cost(const std::vector<PlannedTraining>& trainings, StepProbe& probe);

}  // namespace limbeck
