#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"

namespace limbeck {

/// The learning rate over time, after the warm-up.
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// Factor from 0 to 1 on the peak learning rate in step `step` (from 0) of `steps`, and after
  /// them.
  virtual double factor(int64_t step, int64_t steps) const = 0;

  // One that follows what validation finds; all others are functions of the step.

  /// A validation found `value`, of which more is better.
  virtual void observe(double /*value*/) {}
  /// As before the first step.
  virtual void reset() {}
  /// What it has learned so far, for a checkpoint.
  virtual std::map<std::string, double> state() const { return {}; }
  /// Throws std::out_of_range for the state of another schedule.
  virtual void load_state(const std::map<std::string, double>& /*state*/) {}
};

using ScheduleRegistry = Registry<config::ComponentOptions, Schedule>;
/// All schedules by name; filled in builtin_schedules.cpp.
const ScheduleRegistry& schedules();

/// How far a training is: from 0 in its first step to 1 after its last, and from there on.
inline double progress_at(int64_t step, int64_t steps) {
  return std::min(1.0,
                  static_cast<double>(step) / static_cast<double>(std::max<int64_t>(steps, 1)));
}

/// From `from` to `to` by half a cosine.
double half_cosine(double from, double to, double progress);

/// Factor on the peak learning rate in step `step` (from 0) of `steps`: over the first
/// `warmup_steps` evenly from 0 to where the schedule begins, which has the other steps. Step 0 has
/// a part already: none is wasted on a rate of zero.
double lr_factor(const Schedule& schedule, int64_t warmup_steps, int64_t step, int64_t steps);

}  // namespace limbeck
