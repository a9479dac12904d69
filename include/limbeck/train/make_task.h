#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "limbeck/objective/task.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// The teacher, if one takes part. Throws ConfigError: whatever is wrong with its files is for the
/// configuration to mend.
std::optional<TrainedModel> find_teacher(const TrainingConfig& config);

/// Networks and losses of a configuration, on the device, with the teacher that was found
/// (`find_teacher`), if one takes part. `logger` is told what goes wrong with its cache. Throws
/// ConfigError, also where the teacher cannot be read, or is no longer the one that was found.
std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config,
                                                   const std::optional<TrainedModel>& teacher,
                                                   at::Device device, Logger* logger = nullptr);
std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config, at::Device device);

}  // namespace limbeck
