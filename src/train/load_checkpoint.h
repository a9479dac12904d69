#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "limbeck/objective/task.h"
#include "limbeck/train/step.h"

namespace limbeck {

/// Loads what a checkpoint holds of networks and optimizer. Returns the states of the generators,
/// as "generator/cpu". Throws CheckpointError that lists what does not fit.
std::map<std::string, at::Tensor> load_checkpoint(const std::filesystem::path& checkpoint,
                                                  objective::LearningTask& task, TrainStep& step);

}  // namespace limbeck
