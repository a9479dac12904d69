#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/objective/config.h"
#include "limbeck/objective/task.h"

namespace limbeck::objective {

/// What one optimizer step trains.
struct StepPlan {
  bool task = true;
  bool distill = true;
  int64_t joint_step = 0;  ///< how many steps before this one trained both

  bool joint() const { return task && distill; }
};

/// `step` from 0. Without phases every step trains both.
StepPlan plan_step(const std::vector<PhaseOptions>& phases, int64_t step);

/// The stretch that `step`, one of `steps`, belongs to.
Stretch find_stretch(const std::vector<PhaseOptions>& phases, int64_t step, int64_t steps);

}  // namespace limbeck::objective
