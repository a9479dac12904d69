#include "limbeck/nn/temporal.h"

#include <torch/types.h>

#include "limbeck/core/format.h"
#include "limbeck/nn/model.h"

namespace limbeck::nn {

void TemporalOptions::describe(config::Visitor& v) {
  v.value("type", type, "temporal model at the latent",
          config::one_of({"none", "gru", "dual_path"}));
  v.value("hidden", hidden, "units of each recurrent layer, all groups and directions together",
          config::between(1, 4096));
  v.value("layers", layers, "recurrent layers (gru), or pairs of paths (dual_path)",
          config::between(1, 8));
  v.value("groups", groups, "equal pieces of channels and units that run apart",
          config::between(1, 64));
  v.require(hidden % (type == "dual_path" ? 2 * groups : groups) == 0, "hidden",
            type == "dual_path" ? "must be a multiple of 2 · groups: two directions over the bins"
                                : "must be a multiple of groups");
}

PathImpl::PathImpl(const TemporalOptions& options, int64_t channels, const std::string& norm,
                   bool over_bins)
    : over_bins_(over_bins),
      recurrent_(register_module("recurrent", Gru(GruOptions{.input = channels,
                                                             .hidden = options.hidden,
                                                             .groups = options.groups,
                                                             .bidirectional = over_bins}))),
      output_(register_module("output", Conv(ConvOptions{.in_channels = options.hidden,
                                                         .out_channels = channels,
                                                         .bias = norm == "none"}))),
      norm_(register_module("norm", Norm(norm, channels))) {}

at::Tensor PathImpl::forward(const at::Tensor& x, StreamState* stream) {
  const int64_t batch = x.size(0), channels = x.size(1), frames = x.size(2), bins = x.size(3);
  at::Tensor y;
  if (over_bins_) {
    const auto rows = x.permute({3, 0, 2, 1}).reshape({bins, batch * frames, channels});
    y = output_->rows(recurrent_(rows))
            .view({bins, batch, frames, channels})
            .permute({1, 3, 2, 0});  // [B, C, T, F]
  } else {
    const auto rows = x.permute({2, 0, 3, 1}).reshape({frames, batch * bins, channels});
    y = output_->rows(recurrent_(rows, stream))
            .view({frames, batch, bins, channels})
            .permute({1, 3, 0, 2});  // [B, C, T, F]
  }
  return x + norm_(y.contiguous(x.suggest_memory_format()), stream);
}

LayerCost PathImpl::cost(const std::string& name, int64_t bins) const {
  const int64_t hidden = output_->options().in_channels;
  return {.name = name,
          .parameters = parameter_count(*this),
          .macs = bins * recurrent_->macs_per_step() + output_->macs_per_frame(bins),
          .activations = bins * hidden + output_->activations(bins),
          .state = (over_bins_ ? 0 : bins * recurrent_->state_values()) + norm_->state_values(),
          .past = over_bins_ ? 0 : LayerCost::kForever};
}

TemporalImpl::TemporalImpl(const TemporalOptions& options, int64_t channels, int64_t bins,
                           const std::string& norm)
    : options_(options), bins_(bins), width_(channels * bins) {
  if (options.type == "gru") {
    recurrent_ = register_module("recurrent", Gru(GruOptions{.input = width_,
                                                             .hidden = options.hidden,
                                                             .layers = options.layers,
                                                             .groups = options.groups}));
    auto output = register_module("output", std::make_shared<torch::nn::Module>());
    output_weight_ = output->register_parameter("weight", torch::empty({width_, options.hidden}));
    output_bias_ = output->register_parameter("bias", torch::empty({width_}));
  } else if (options.type == "dual_path") {
    for (int64_t l = 0; l < options.layers; ++l) {
      auto block = register_module(format("block%d", l), std::make_shared<torch::nn::Module>());
      for (const bool over_bins : {true, false}) {
        paths_.push_back(block->register_module(over_bins ? "intra" : "inter",
                                                Path(options, channels, norm, over_bins)));
      }
    }
  }
}

at::Tensor TemporalImpl::forward(const at::Tensor& x, StreamState* stream) {
  if (options_.type == "gru") {
    const int64_t batch = x.size(0), frames = x.size(2);
    const auto rows = x.permute({2, 0, 1, 3}).reshape({frames, batch, width_});  // [T, B, C·F]
    return x + at::linear(recurrent_(rows, stream), output_weight_, output_bias_)
                   .view({frames, batch, x.size(1), x.size(3)})
                   .permute({1, 2, 0, 3});
  }
  at::Tensor y = x;
  for (Path& path : paths_) y = path(y, stream);
  return y;
}

void TemporalImpl::fuse() {
  for (Path& path : paths_) path->fuse();
}

std::vector<LayerCost> TemporalImpl::costs() const {
  if (options_.type == "gru") {
    return {{.name = "temporal",
             .parameters = parameter_count(*this),
             .macs = recurrent_->macs_per_step() + output_weight_.numel(),
             .activations = options_.layers * options_.hidden + width_,
             .state = recurrent_->state_values(),
             .past = LayerCost::kForever}};
  }
  std::vector<LayerCost> costs;
  for (size_t i = 0; i < paths_.size(); ++i) {
    costs.push_back(paths_[i]->cost(
        format("temporal.block%d.%s", i / 2, i % 2 == 0 ? "intra" : "inter"), bins_));
  }
  return costs;
}

}  // namespace limbeck::nn
