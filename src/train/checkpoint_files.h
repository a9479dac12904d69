#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "limbeck/objective/task.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/train/step.h"

namespace limbeck {

/// The generator that random draws on a device come from.
at::Generator generator(const at::Device& device);

/// Networks, optimizer and the generators of the CPU and of `device`, as a checkpoint holds them.
/// With an average of the weights, that is model.safetensors, and what is trained on
/// training.safetensors.
CheckpointFiles checkpoint_files(objective::LearningTask& task, TrainStep& step,
                                 const at::Device& device);

/// Takes all of that up. A checkpoint without an average, which another run is begun with, begins
/// one. Throws CheckpointError that lists what does not fit.
void load_checkpoint(const std::filesystem::path& checkpoint, objective::LearningTask& task,
                     TrainStep& step, const at::Device& device);

}  // namespace limbeck
