#include "train/load_checkpoint.h"

#include <torch/types.h>

#include "limbeck/nn/model_file.h"
#include "limbeck/nn/safetensors.h"
#include "train/optimizer.h"

namespace limbeck {

std::map<std::string, at::Tensor> load_checkpoint(const std::filesystem::path& checkpoint,
                                                  objective::LearningTask& task, TrainStep& step) {
  const std::string source = checkpoint.string();
  nn::load_state(task.model(), read_safetensors(checkpoint / "model.safetensors").tensors, source);
  if (!nn::state_of(task.helpers()).empty()) {
    nn::load_state(task.helpers(), read_safetensors(checkpoint / "helpers.safetensors").tensors,
                   source);
  }
  auto optimizer = read_safetensors(checkpoint / "optimizer.safetensors").tensors;
  std::map<std::string, at::Tensor> generators;
  for (const char* name : {"generator/cpu", "generator/device"}) {
    if (auto node = optimizer.extract(name)) generators.insert(std::move(node));
  }
  step.optimizer().load_state(optimizer, source);
  return generators;
}

}  // namespace limbeck
