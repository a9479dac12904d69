#include "limbeck/nn/layers.h"

#include <torch/types.h>

namespace limbeck::nn {

ConvImpl::ConvImpl(const ConvOptions& options) : options_(options) {
  const int64_t in = options.depthwise ? 1 : options.in_channels;
  weight_ = register_parameter(
      "weight", torch::empty({options.out_channels, in, options.kernel_time, options.kernel_freq}));
  if (options.bias) bias_ = register_parameter("bias", torch::empty({options.out_channels}));
}

at::Tensor ConvImpl::forward(const at::Tensor& x) const {
  const int64_t kernel_time = options_.kernel_time;
  const int64_t groups = options_.depthwise ? options_.in_channels : 1;
  // A symmetric padding wide enough for both sides costs a few frames more than padding one side
  // would, and saves a copy of the input.
  const int64_t past = kernel_time - 1 - options_.lookahead;
  const int64_t pad_time = std::max(past, options_.lookahead);
  const auto y = at::conv2d(x, weight_, bias_, {1, options_.stride_freq},
                            {pad_time, options_.kernel_freq / 2}, 1, groups);
  return past == options_.lookahead ? y : y.narrow(2, pad_time - past, x.size(2));
}

int64_t ConvImpl::macs_per_frame(int64_t bins) const {
  const int64_t out_bins = (bins + options_.stride_freq - 1) / options_.stride_freq;
  return out_bins * weight_.numel();
}

NormImpl::NormImpl(const std::string& type, int64_t channels) : identity_(type == "none") {
  if (identity_) return;
  weight_ = register_parameter("weight", torch::ones({channels}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}));
  running_var_ = register_buffer("running_var", torch::ones({channels}));
}

at::Tensor NormImpl::forward(const at::Tensor& x) const {
  if (identity_) return x;
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, is_training(), 0.1, 1e-5,
                        false);
}

ActivationImpl::ActivationImpl(const std::string& type, int64_t channels) : type_(type) {
  if (type == "prelu") weight_ = register_parameter("weight", torch::full({channels}, 0.25));
}

at::Tensor ActivationImpl::forward(at::Tensor x) const {
  if (type_ == "prelu") return at::prelu(x, weight_);
  if (type_ == "silu") return at::silu(x);
  return at::hardtanh_(x, 0, 6);
}

at::Tensor interleave_bins(const at::Tensor& x, int64_t factor) {
  if (factor == 1) return x;
  const int64_t channels = x.size(1) / factor;
  return x
      .permute({0, 2, 3, 1})  // [B, T, F, s·C]
      .reshape({x.size(0), x.size(2), x.size(3) * factor, channels})
      .permute({0, 3, 1, 2});  // [B, C, T, s·F]
}

}  // namespace limbeck::nn
