#include "limbeck/nn/model.h"

#include "limbeck/nn/initialize.h"

namespace limbeck::nn {

ModelConfig::ModelConfig() { chosen = {models(), "denoising_autoencoder"}; }

void ModelConfig::describe(config::Visitor& v) { v.choice("name", chosen, models(), "network"); }

std::shared_ptr<DenoisingModel> build_model(const ModelConfig& config, SeedKey key) {
  std::shared_ptr<DenoisingModel> model = models().build(config.chosen.name(), *config.chosen);
  initialize(*model, key.with("weights"));
  return model;
}

int64_t parameter_count(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

std::string cost_text(const DenoisingModel& model) {
  const auto parameters = static_cast<double>(parameter_count(model));
  const std::string size =
      parameters < 1e6 ? format("%.1f k", parameters / 1e3) : format("%.2f M", parameters / 1e6);
  return size + format(" parameters, %.1f MMAC/s, latency %.1f ms", model.macs_per_second() / 1e6,
                       1e3 * static_cast<double>(model.latency_samples()) /
                           static_cast<double>(model.rate_hz()));
}

}  // namespace limbeck::nn
