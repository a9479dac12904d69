#pragma once

#include <cstdint>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"

namespace limbeck {

/// The learning rate over time.
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// Factor from 0 to 1 on the peak learning rate in step `step` (from 0) of `steps`.
  virtual double factor(int64_t step, int64_t steps) const = 0;
};

using ScheduleRegistry = Registry<config::ComponentOptions, Schedule>;
/// All schedules by name; filled in builtin_schedules.cpp.
const ScheduleRegistry& schedules();

/// Linear from 0 over the first `warmup_steps`, then 1. Step 0 has a part already: none is wasted
/// on a rate of zero.
inline double warmup_factor(int64_t step, int64_t warmup_steps) {
  return step < warmup_steps ? static_cast<double>(step + 1) / static_cast<double>(warmup_steps)
                             : 1;
}

}  // namespace limbeck
