#include "limbeck/nn/inverted_bottleneck.h"

#include <torch/types.h>

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

at::Tensor InvertedBottleneckImpl::forward(const at::Tensor& x) {
  at::Tensor y = x;                                                              // [B, in, T, F]
  if (options_.expansion > 1) y = expand_activation_(expand_norm_(expand_(y)));  // [B, t·in, T, F]
  y = depthwise_activation_(depthwise_norm_(depthwise_(y)));  // [B, t·in, T, F / stride]
  y = project_norm_(interleave_bins(project_(y), options_.upsample_freq));  // [B, out, T, F']
  return residual_ ? x + y : y;
}

int64_t InvertedBottleneckImpl::macs_per_frame(int64_t bins) const {
  const int64_t low = (bins + options_.stride_freq - 1) / options_.stride_freq;
  return (options_.expansion > 1 ? expand_->macs_per_frame(bins) : 0) +
         depthwise_->macs_per_frame(bins) + project_->macs_per_frame(low);
}

}  // namespace limbeck::nn
