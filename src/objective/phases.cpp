#include "objective/phases.h"

#include <algorithm>

namespace limbeck::objective {

StepPlan plan_step(const std::vector<PhaseOptions>& phases, int64_t step) {
  StepPlan plan{true, true, 0};
  int64_t left = step;  // steps of the phase before this one
  for (size_t i = 0; i < phases.size(); ++i) {
    plan.task = phases[i].task;
    plan.distill = phases[i].distill;
    const bool is_here = i + 1 == phases.size() || left < phases[i].steps;
    if (plan.joint()) plan.joint_step += is_here ? left : phases[i].steps;
    if (is_here) return plan;
    left -= phases[i].steps;
  }
  plan.joint_step = step;
  return plan;
}

Stretch find_stretch(const std::vector<PhaseOptions>& phases, int64_t step, int64_t steps) {
  int64_t first = 0;  // of the stretch
  int64_t begin = 0;  // of the phase
  for (size_t i = 1; i < phases.size(); ++i) {
    begin += phases[i - 1].steps;
    if (!phases[i].restart) continue;
    if (step < begin) return {first, begin - first};
    first = begin;
  }
  return {first, steps - first};
}

}  // namespace limbeck::objective
