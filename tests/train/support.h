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

inline std::unique_ptr<Schedule> make_schedule(const std::string& options) {
  const auto config = config::read_text<ScheduleConfig>("{" + options + "}", "test");
  return schedules().build(config.chosen.name(), *config.chosen);
}

inline std::unique_ptr<Clip> make_clip(const std::string& options) {
  const auto config = config::read_text<ClipConfig>("{" + options + "}", "test");
  return clips().build(config.chosen.name(), *config.chosen);
}

}  // namespace limbeck::test
