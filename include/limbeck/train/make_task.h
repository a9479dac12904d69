#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "limbeck/objective/task.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// The teacher, if one takes part. Throws ConfigError where what is named is not, or no longer, a
/// model; DataError where it cannot be read.
std::optional<TrainedModel> find_teacher(const TrainingConfig& config);

/// Networks and losses of a configuration, on the device, with the teacher that was found
/// (`find_teacher`), if one takes part. `logger` is told what was passed over for it, and what goes
/// wrong with its cache. Throws ConfigError, also where the teacher is no model, or no longer the
/// one that was found; DataError where it cannot be read.
std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config,
                                                   const std::optional<TrainedModel>& teacher,
                                                   at::Device device, Logger* logger = nullptr);
std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config, at::Device device);

}  // namespace limbeck
