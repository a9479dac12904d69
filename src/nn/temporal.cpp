#include "limbeck/nn/temporal.h"

#include <torch/types.h>

namespace limbeck::nn {

void TemporalOptions::describe(config::Visitor& v) {
  v.value("type", type, "temporal model at the latent", config::one_of({"none", "gru"}));
  v.value("hidden", hidden, "units of the recurrent layers (gru)", config::between(1, 4096));
  v.value("layers", layers, "recurrent layers (gru)", config::between(1, 8));
}

TemporalImpl::TemporalImpl(const TemporalOptions& options, int64_t channels, int64_t bins)
    : options_(options), width_(channels * bins) {
  if (options.type == "none") return;
  auto recurrent = register_module("recurrent", std::make_shared<torch::nn::Module>());
  const int64_t gates = 3 * options.hidden;
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const std::string suffix = "_l" + std::to_string(layer);
    const int64_t input = layer == 0 ? width_ : options.hidden;
    for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<int64_t>>>{
             {"weight_ih", {gates, input}},
             {"weight_hh", {gates, options.hidden}},
             {"bias_ih", {gates}},
             {"bias_hh", {gates}}}) {
      recurrent_.push_back(recurrent->register_parameter(name + suffix, torch::empty(shape)));
    }
  }
  auto output = register_module("output", std::make_shared<torch::nn::Module>());
  output_weight_ = output->register_parameter("weight", torch::empty({width_, options.hidden}));
  output_bias_ = output->register_parameter("bias", torch::empty({width_}));
}

at::Tensor TemporalImpl::forward(const at::Tensor& x) const {
  if (options_.type == "none") return x;
  const int64_t batch = x.size(0);
  const auto frames = x.permute({0, 2, 1, 3}).reshape({batch, x.size(2), width_});  // [B, T, C·F]
  const auto start = at::zeros({options_.layers, batch, options_.hidden}, x.options());
  const auto hidden = std::get<0>(at::gru(frames, start, recurrent_, true, options_.layers, 0.0,
                                          is_training(), false, true));  // [B, T, hidden]
  return x + at::linear(hidden, output_weight_, output_bias_)
                 .reshape({batch, x.size(2), x.size(1), x.size(3)})
                 .permute({0, 2, 1, 3});
}

int64_t TemporalImpl::macs_per_frame() const {
  if (options_.type == "none") return 0;
  int64_t macs = output_weight_.numel();
  for (const auto& weight : recurrent_) macs += weight.dim() == 2 ? weight.numel() : 0;
  return macs;
}

}  // namespace limbeck::nn
