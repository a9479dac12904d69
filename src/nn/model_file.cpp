#include "limbeck/nn/model_file.h"

#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck::nn {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 1;

bool is_derived(const std::string& name) {
  return name.starts_with("stft.") || name.starts_with("bands.");
}

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes() << ' ' << tensor.scalar_type();
  return text.str();
}

}  // namespace

std::map<std::string, at::Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) {
    if (!is_derived(item.key())) state[item.key()] = item.value();
  }
  return state;
}

void load_state(torch::nn::Module& module, const std::map<std::string, at::Tensor>& tensors,
                const std::string& source) {
  at::NoGradGuard no_grad;
  auto state = state_of(module);
  std::vector<std::string> wrong;
  for (const auto& [name, own] : state) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      wrong.push_back(name + ": missing in the file");
    } else if (found->second.sizes() != own.sizes() ||
               found->second.scalar_type() != own.scalar_type()) {
      wrong.push_back(name + ": " + shape_text(found->second) + " in the file, " + shape_text(own) +
                      " in the network");
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!state.count(name)) wrong.push_back(name + ": in the file, but not in the network");
  }
  if (!wrong.empty()) throw CheckpointError(source + ": " + join(wrong, "\n" + source + ": "));
  for (auto& [name, own] : state) own.copy_(tensors.at(name));
}

std::string serialize_model(const DenoisingModel& model, const ModelConfig& config) {
  SafeTensors contents;
  contents.tensors = state_of(model);
  nlohmann::json header = {{"format", kFormatVersion},
                           {"model", config::to_yaml(config::to_node(config))}};
  contents.metadata["limbeck"] = header.dump();
  return serialize_safetensors(contents);
}

void write_model(const fs::path& path, const DenoisingModel& model, const ModelConfig& config) {
  write_file_atomically(path, serialize_model(model, config));
}

LoadedModel read_model(const fs::path& path) {
  SafeTensors contents = read_safetensors(path);
  const auto metadata = contents.metadata.find("limbeck");
  if (metadata == contents.metadata.end()) {
    throw CheckpointError(path.string() +
                          ": a safetensors file, but not a Limbeck model: no 'limbeck' metadata");
  }
  LoadedModel loaded;
  try {
    const auto header = nlohmann::json::parse(metadata->second);
    const int version = header.at("format").get<int>();
    if (version != kFormatVersion) {
      throw CheckpointError(path.string() + ": model format " + std::to_string(version) +
                            "; this version reads " + std::to_string(kFormatVersion));
    }
    loaded.config =
        config::read_text<ModelConfig>(header.at("model").get<std::string>(), path.string());
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(path.string() + ": malformed model header: " + e.what());
  } catch (const ConfigError& e) {
    throw CheckpointError(std::string("model header of ") + e.what());
  }
  loaded.model = build_model(loaded.config, SeedKey(0));
  load_state(*loaded.model, contents.tensors, path.string());
  loaded.model->eval();
  return loaded;
}

ModelCost model_cost(const fs::path& model_file) {
  const auto model = read_model(model_file).model;
  return {parameter_count(*model), model->macs_per_second()};
}

}  // namespace limbeck::nn
