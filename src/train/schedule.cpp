#include "train/schedule.h"

#include <cmath>
#include <numbers>

namespace limbeck {

double half_cosine(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

double lr_factor(const Schedule& schedule, int64_t warmup_steps, int64_t step, int64_t steps) {
  const int64_t after = std::max<int64_t>(steps - warmup_steps, 0);
  if (step >= warmup_steps) return schedule.factor(step - warmup_steps, after);
  return static_cast<double>(step + 1) / static_cast<double>(warmup_steps) *
         schedule.factor(0, after);
}

}  // namespace limbeck
