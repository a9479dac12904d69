#include "nn/conv_unit.h"

#include <torch/types.h>

#include "limbeck/nn/model.h"

namespace limbeck::nn {

ConvUnit::ConvUnit(torch::nn::Module& parent, const std::string& name,
                   const ConvUnitOptions& options)
    : parent_(parent), norm_name_(name + "_norm"), upsample_(options.upsample_freq) {
  conv_ = parent.register_module(name, Conv(options.own_conv()));
  norm_ = parent.register_module(norm_name_, Norm(options.norm, options.channels()));
  if (options.activation) {
    activation_ = parent.register_module(name + "_activation",
                                         Activation(*options.activation, options.channels()));
  }
}

at::Tensor ConvUnit::forward(const at::Tensor& x, const Pass& pass) {
  const auto y = interleave_bins(conv_(x, pass), upsample_);
  return activation_ ? norm_->activate(y, activation_, pass) : norm_(y, pass);
}

void ConvUnit::fuse() { fold_norm(parent_, norm_name_, conv_, norm_); }

BlockUnit ConvUnit::block_unit() const {
  const auto norm = norm_->batch_norm();
  return {.weight = conv_->weight(),
          .scale = norm.weight,
          .bias = norm_->kind() == NormKind::none ? conv_->bias() : norm.bias,
          .running_mean = norm.running_mean,
          .running_var = norm.running_var,
          .slope = activation_ ? activation_->slope() : at::Tensor()};
}

std::vector<LayerCost> ConvUnit::costs(const std::string& name, int64_t bins) const {
  const ConvOptions& o = conv_->options();
  const int64_t slopes = activation_ ? parameter_count(*activation_) : 0;
  return {{.name = name,
           .parameters = parameter_count(*conv_) + parameter_count(*norm_) + slopes,
           .macs = conv_->macs_per_frame(bins),
           .activations = conv_->activations(bins),
           .state = conv_->state_values(bins) + norm_->state_values(),
           .past = o.span() - o.lookahead,
           .future = o.lookahead}};
}

at::Tensor interleave_bins(const at::Tensor& x, int64_t factor) {
  if (factor == 1) return x;
  const int64_t batch = x.size(0), channels = x.size(1) / factor, frames = x.size(2),
                bins = x.size(3);
  if (x.is_contiguous(at::MemoryFormat::ChannelsLast)) {
    return x
        .permute({0, 2, 3, 1})  // [B, T, F, s·C]: in memory it is what it is to become
        .reshape({batch, frames, bins * factor, channels})
        .permute({0, 3, 1, 2});
  }
  return x.reshape({batch, factor, channels, frames, bins})
      .permute({0, 2, 3, 4, 1})
      .reshape({batch, channels, frames, bins * factor});
}

}  // namespace limbeck::nn
