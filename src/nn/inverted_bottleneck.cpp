#include "limbeck/nn/inverted_bottleneck.h"

#include <torch/types.h>

#include "limbeck/nn/model.h"

namespace limbeck::nn {

InvertedBottleneckImpl::InvertedBottleneckImpl(const InvertedBottleneckOptions& options)
    : options_(options),
      residual_(options.in_channels == options.out_channels && options.stride_freq == 1 &&
                options.upsample_freq == 1) {
  const bool bias = options.norm == "none";  // a norm has a bias of its own
  const int64_t wide = options.in_channels * options.expansion;
  if (options.expansion > 1) {
    expand_ = register_module(
        "expand",
        Conv(ConvOptions{.in_channels = options.in_channels, .out_channels = wide, .bias = bias}));
    expand_norm_ = register_module("expand_norm", Norm(options.norm, wide));
    expand_activation_ = register_module("expand_activation", Activation(options.activation, wide));
  }
  depthwise_ = register_module("depthwise", Conv(ConvOptions{.in_channels = wide,
                                                             .out_channels = wide,
                                                             .kernel_time = options.kernel_time,
                                                             .kernel_freq = options.kernel_freq,
                                                             .stride_freq = options.stride_freq,
                                                             .dilation_time = options.dilation_time,
                                                             .lookahead = options.lookahead,
                                                             .depthwise = true,
                                                             .bias = bias}));
  depthwise_norm_ = register_module("depthwise_norm", Norm(options.norm, wide));
  depthwise_activation_ =
      register_module("depthwise_activation", Activation(options.activation, wide));
  project_ = register_module(
      "project", Conv(ConvOptions{.in_channels = wide,
                                  .out_channels = options.out_channels * options.upsample_freq,
                                  .bias = bias}));
  project_norm_ = register_module("project_norm", Norm(options.norm, options.out_channels));
}

at::Tensor InvertedBottleneckImpl::forward(const at::Tensor& x, StreamState* stream) {
  at::Tensor y = x;  // [B, in, T, F]
  if (options_.expansion > 1) {
    y = expand_norm_->activate(expand_(y), expand_activation_, stream);  // [B, t·in, T, F]
  }
  y = depthwise_norm_->activate(depthwise_(y, stream), depthwise_activation_,
                                stream);  // [B, t·in, T, F / stride]
  y = project_norm_(interleave_bins(project_(y), options_.upsample_freq),
                    stream);  // [B, out, T, F']
  return residual_ ? x + y : y;
}

void InvertedBottleneckImpl::fuse() {
  if (options_.expansion > 1) expand_->fold(*expand_norm_);
  depthwise_->fold(*depthwise_norm_);
  project_->fold(*project_norm_);
}

LayerCost InvertedBottleneckImpl::cost(const std::string& name, int64_t bins) const {
  const int64_t low = depthwise_->out_bins(bins);
  LayerCost cost{.name = name,
                 .parameters = parameter_count(*this),
                 .macs = depthwise_->macs_per_frame(bins) + project_->macs_per_frame(low),
                 .activations = depthwise_->activations(bins) + project_->activations(low),
                 .state = depthwise_->state_values(bins) + depthwise_norm_->state_values() +
                          project_norm_->state_values(),
                 .past = depthwise_->options().span() - options_.lookahead,
                 .future = options_.lookahead};
  if (options_.expansion > 1) {
    cost.macs += expand_->macs_per_frame(bins);
    cost.activations += expand_->activations(bins);
    cost.state += expand_norm_->state_values();
  }
  return cost;
}

}  // namespace limbeck::nn
