#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "limbeck/objective/task.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// Networks and losses of a configuration, on the device. Throws ConfigError, also where
/// the teacher cannot be read.
std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config, at::Device device);

}  // namespace limbeck
