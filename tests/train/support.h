#pragma once

#include <memory>
#include <string>

#include "limbeck/config/reader.h"
#include "limbeck/train/config.h"
#include "train/clip.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace limbeck::test {

/// Components of a configuration, as "type: adamw, lr: 0.05".
inline std::unique_ptr<Optimizer> make_optimizer(
    const std::string& options, const std::map<std::string, torch::nn::Module*>& modules) {
  const auto config = config::read_text<OptimizerConfig>("{" + options + "}", "test");
  return optimizers().build(config.chosen.name(), *config.chosen, trained_parameters(modules));
}

/// A schedule and its warm-up.
struct MadeSchedule {
  std::unique_ptr<Schedule> after;
  int64_t warmup_steps;

  double factor(int64_t step, int64_t steps) const {
    return lr_factor(*after, warmup_steps, step, steps);
  }
};

inline MadeSchedule make_schedule(const std::string& options) {
  const auto config = config::read_text<ScheduleConfig>("{" + options + "}", "test");
  return {schedules().build(config.chosen.name(), *config.chosen), config.warmup_steps};
}

inline std::unique_ptr<Clip> make_clip(const std::string& options) {
  const auto config = config::read_text<ClipConfig>("{" + options + "}", "test");
  return clips().build(config.chosen.name(), *config.chosen);
}

}  // namespace limbeck::test
