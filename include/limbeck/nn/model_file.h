#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "limbeck/nn/model.h"
#include "limbeck/nn/safetensors.h"

namespace limbeck::nn {

/// Parameters and buffers by name, without what is derived from the options (windows, bands).
std::map<std::string, at::Tensor> state_of(const torch::nn::Module& module);

/// Copies `tensors` into the module. Names, shapes and dtypes must be the same on both sides; every
/// difference is listed in one CheckpointError that starts with `source`.
void load_state(torch::nn::Module& module, const std::map<std::string, at::Tensor>& tensors,
                const std::string& source);

/// A model file is a safetensors file whose metadata `limbeck` holds a JSON string with the format
/// version and the network's options, so that it needs no other file.
std::string serialize_model(const DenoisingModel& model);
void write_model(const std::filesystem::path& path, const DenoisingModel& model);

/// In eval mode, on the CPU. Throws CheckpointError.
std::shared_ptr<DenoisingModel> read_model(const std::filesystem::path& path);
/// The same of the bytes of a model file; errors name `file`.
std::shared_ptr<DenoisingModel> parse_model(std::string_view bytes, const std::string& file);

struct ModelCost {
  int64_t parameters = 0;
  double macs_per_second = 0;
};
/// Throws CheckpointError.
ModelCost model_cost(const std::filesystem::path& model_file);

}  // namespace limbeck::nn
