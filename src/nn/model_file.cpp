#include "limbeck/nn/model_file.h"

#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "nn/model_options.h"

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

/// Files from before each temporal model had its own options hold those of a recurrent one beside
/// `none` too.
void drop_options_of_no_temporal_model(config::Node& model) {
  config::Node* temporal = model.is_map() ? model.find("temporal") : nullptr;
  const config::Node* type = temporal && temporal->is_map() ? temporal->find("type") : nullptr;
  if (type == nullptr || type->scalar != "none") return;
  for (const char* key : {"hidden", "layers", "groups"}) temporal->erase(key);
}

ModelConfig parse_config(const std::string& yaml, const std::string& source) {
  config::Diagnostics diagnostics;
  config::Node node = config::parse_yaml(yaml, source, diagnostics);
  drop_options_of_no_temporal_model(node);
  auto config = config::read<ModelConfig>(node, diagnostics);
  diagnostics.throw_if_any();
  return config;
}

/// What the options ask for must lie in the file: then a small one cannot make a large network.
/// Smaller differences are told tensor by tensor.
void require_values(const ModelConfig& config, const SafeTensors& contents,
                    const std::string& file) {
  constexpr int64_t kSmall = 1 << 20;
  int64_t stored = 0;
  for (const auto& [name, tensor] : contents.tensors) stored += tensor.numel();
  const int64_t needed = config.chosen.as<ModelOptions>().values();
  if (needed <= stored + kSmall) return;
  throw CheckpointError(
      format("%s: the options in its header make a network of %d numbers, but it "
             "holds %d",
             file, needed, stored));
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

std::string serialize_model(const DenoisingModel& model) {
  SafeTensors contents;
  contents.tensors = state_of(model);
  nlohmann::json header = {{"format", kFormatVersion},
                           {"model", config::to_yaml(config::to_node(model.config()))}};
  contents.metadata["limbeck"] = json_text(header);
  return serialize_safetensors(contents);
}

void write_model(const fs::path& path, const DenoisingModel& model) {
  write_file_atomically(path, serialize_model(model));
}

namespace {

std::shared_ptr<DenoisingModel> make_model(const SafeTensors& contents, const std::string& file) {
  const auto metadata = contents.metadata.find("limbeck");
  if (metadata == contents.metadata.end()) {
    throw CheckpointError(file +
                          ": a safetensors file, but not a Limbeck model: no 'limbeck' metadata");
  }
  ModelConfig config;
  try {
    const auto header = parse_json<nlohmann::json>(metadata->second);
    const int version = header.at("format").get<int>();
    if (version != kFormatVersion) {
      throw CheckpointError(file + ": model format " + std::to_string(version) +
                            "; this version reads " + std::to_string(kFormatVersion));
    }
    config = parse_config(header.at("model").get<std::string>(), file);
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file + ": malformed model header: " + e.what());
  } catch (const ConfigError& e) {
    throw CheckpointError(std::string("model header of ") + e.what());
  }
  require_values(config, contents, file);
  auto model = build_model(config, SeedKey(0));
  load_state(*model, contents.tensors, file);
  model->eval();
  return model;
}

}  // namespace

std::shared_ptr<DenoisingModel> read_model(const fs::path& path) {
  return make_model(read_safetensors(path), path.string());
}

std::shared_ptr<DenoisingModel> parse_model(std::string_view bytes, const std::string& file) {
  return make_model(parse_safetensors(bytes, file), file);
}

ModelCost model_cost(const fs::path& model_file) {
  const auto model = read_model(model_file);
  return {parameter_count(*model), model->macs_per_second()};
}

}  // namespace limbeck::nn
