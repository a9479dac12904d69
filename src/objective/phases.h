#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/objective/config.h"

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

}  // namespace limbeck::objective
