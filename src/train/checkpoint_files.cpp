#include "train/checkpoint_files.h"

#include <torch/types.h>

#include "limbeck/core/files.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/nn/safetensors.h"
#include "train/optimizer.h"
#include "train/weight_average.h"

namespace limbeck {
namespace {

constexpr const char* kModel = "model.safetensors";
constexpr const char* kTraining = "training.safetensors";
constexpr const char* kHelpers = "helpers.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kCpuGenerator = "generator/cpu";
constexpr const char* kDeviceGenerator = "generator/device";

std::string serialize(std::map<std::string, at::Tensor> tensors) {
  SafeTensors all;
  all.tensors = std::move(tensors);
  return serialize_safetensors(all);
}

}  // namespace

at::Generator generator(const at::Device& device) {
  return at::globalContext().defaultGenerator(device);
}

CheckpointFiles checkpoint_files(objective::LearningTask& task, TrainStep& step,
                                 const at::Device& device) {
  auto optimizer = step.optimizer().state();
  optimizer[kCpuGenerator] = generator(at::kCPU).get_state();
  if (!device.is_cpu()) optimizer[kDeviceGenerator] = generator(device).get_state();
  CheckpointFiles files = {{kOptimizer, serialize(std::move(optimizer))}};
  if (auto helpers = nn::state_of(task.helpers()); !helpers.empty()) {
    files[kHelpers] = serialize(std::move(helpers));
  }
  if (step.average()) files[kTraining] = serialize(nn::state_of(task.model()));
  const AveragedWeights averaged(step.average());
  files[kModel] = nn::serialize_model(task.model());
  return files;
}

void load_checkpoint(const std::filesystem::path& checkpoint, objective::LearningTask& task,
                     TrainStep& step, const at::Device& device) {
  const std::string source = checkpoint.string();
  const auto read = [&](const char* file) { return read_safetensors(checkpoint / file).tensors; };
  nn::load_state(task.model(), read(kModel), source);
  if (step.average()) step.average()->restart();
  const bool has_average = on_disk([&] { return std::filesystem::exists(checkpoint / kTraining); });
  if (has_average) nn::load_state(task.model(), read(kTraining), source);
  if (!nn::state_of(task.helpers()).empty()) {
    nn::load_state(task.helpers(), read(kHelpers), source);
  }
  auto optimizer = read(kOptimizer);
  const auto cpu = optimizer.extract(kCpuGenerator);
  const auto other = optimizer.extract(kDeviceGenerator);
  step.optimizer().load_state(optimizer, source);
  if (cpu) generator(at::kCPU).set_state(cpu.mapped());
  if (other && !device.is_cpu()) generator(device).set_state(other.mapped());
}

}  // namespace limbeck
