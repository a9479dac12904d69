#include "limbeck/nn/layers.h"

#include <torch/types.h>

#include "limbeck/nn/kernels.h"

namespace limbeck::nn {
namespace {
constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;
}  // namespace

NormImpl::NormImpl(const std::string& type, int64_t channels) : type_(type) {
  if (type == "none") return;
  weight_ = register_parameter("weight", torch::ones({channels}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
  if (type != "batch") return;
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}));
  running_var_ = register_buffer("running_var", torch::ones({channels}));
}

at::Tensor NormImpl::forward(const at::Tensor& x, StreamState* stream) const {
  if (type_ == "none") return x;
  if (type_ == "instance") return instance(x, stream);
  return batch(x, nullptr);
}

at::Tensor NormImpl::activate(const at::Tensor& x, const Activation& activation,
                              StreamState* stream) const {
  if (type_ == "batch" && has_kernel(x) && activation->type_ != "silu") {
    return batch(x, activation.get());
  }
  return activation->forward(forward(x, stream));
}

at::Tensor NormImpl::batch(const at::Tensor& x, const ActivationImpl* activation) const {
  if (!has_kernel(x)) {
    return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, is_training(), kMomentum,
                          kEpsilon, false);
  }
  const Activate then = activation == nullptr          ? Activate::none
                        : activation->type_ == "relu6" ? Activate::relu6
                                                       : Activate::prelu;
  return batch_norm_activate(x, weight_, bias_, activation ? activation->weight_ : at::Tensor(),
                             running_mean_, running_var_,
                             {is_training(), kMomentum, kEpsilon, then});
}

at::Tensor NormImpl::instance(const at::Tensor& x, StreamState* stream) const {
  // Sums over minutes of frames need more digits than float32 has, and so do the squares where a
  // channel hardly varies around a large mean.
  const auto [within, centre] = at::var_mean(x, at::IntArrayRef{3}, false);  // [B, C, T]
  const auto means = centre.to(torch::kDouble);
  auto sums = at::stack({means, within.to(torch::kDouble) + means.square()}).cumsum(3);
  auto frames = at::arange(1, x.size(2) + 1, sums.options());  // [T]
  if (stream != nullptr) {
    at::Tensor& before = stream->of(this);  // [3, B, C]: both sums and the number of frames
    if (before.defined()) {
      sums = sums + before.narrow(0, 0, 2).unsqueeze(3);
      frames = frames + before[2][0][0];
    }
    const auto last = sums.select(3, -1);  // [2, B, C]
    before = at::cat({last, frames[-1].expand_as(last[0]).unsqueeze(0)});
  }
  const auto mean = sums[0] / frames;  // [B, C, T]
  const auto variance = (sums[1] / frames - mean.square()).clamp_min(0);
  const auto scale = (variance + kEpsilon).rsqrt() * weight_.unsqueeze(1);
  const auto shift = bias_.unsqueeze(1) - mean * scale;
  return x * scale.to(x.dtype()).unsqueeze(3) + shift.to(x.dtype()).unsqueeze(3);
}

ConvImpl::ConvImpl(const ConvOptions& options) : options_(options) {
  const int64_t in = options.depthwise ? 1 : options.in_channels;
  weight_ = register_parameter(
      "weight", torch::empty({options.out_channels, in, options.kernel_time, options.kernel_freq}));
  if (options.bias) bias_ = register_parameter("bias", torch::empty({options.out_channels}));
}

at::Tensor ConvImpl::forward(const at::Tensor& x, StreamState* stream) const {
  const auto& o = options_;
  const int64_t span = o.span();
  if (stream != nullptr && span > 0) {
    TORCH_CHECK(o.lookahead == 0, "Conv: a kernel with lookahead cannot stream");
    at::Tensor& before = stream->of(this);  // [B, C, span, F]
    if (!before.defined()) before = at::zeros({x.size(0), x.size(1), span, x.size(3)}, x.options());
    const auto all = at::cat({before, x}, 2).contiguous(x.suggest_memory_format());
    before = all.narrow(2, x.size(2), span).clone();
    return convolve(all, 0, 0);
  }
  return convolve(x, span - o.lookahead, o.lookahead);
}

at::Tensor ConvImpl::convolve(const at::Tensor& x, int64_t before, int64_t after) const {
  const auto& o = options_;
  if (o.depthwise && has_kernel(x)) {
    return depthwise_conv(x, weight_, bias_, {o.stride_freq, o.dilation_time, before, after});
  }
  // A symmetric padding wide enough for both sides costs a few frames more than padding one side
  // would, and saves a copy of the input.
  const int64_t padding = std::max(before, after);
  const auto y = at::conv2d(x, weight_, bias_, {1, o.stride_freq}, {padding, o.kernel_freq / 2},
                            {o.dilation_time, 1}, o.depthwise ? o.in_channels : 1);
  const int64_t frames = x.size(2) + before + after - o.span();
  return before == after ? y : y.narrow(2, padding - before, frames);
}

at::Tensor ConvImpl::rows(const at::Tensor& x) const {
  return at::linear(x, weight_.flatten(1), bias_);
}

void ConvImpl::fold(NormImpl& norm) {
  if (!norm.is_batch()) return;
  at::NoGradGuard no_grad;
  const int64_t copies = weight_.size(0) / norm.weight_.size(0);
  const auto scale = norm.weight_ * (norm.running_var_ + kEpsilon).rsqrt();
  const auto shift = (norm.bias_ - norm.running_mean_ * scale).repeat({copies});
  const auto scales = scale.repeat({copies});
  weight_.mul_(scales.view({-1, 1, 1, 1}));
  if (bias_.defined()) {
    bias_.mul_(scales).add_(shift);
  } else {
    bias_ = register_parameter("bias", shift);
  }
  norm.type_ = "none";
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
  const int64_t batch = x.size(0), channels = x.size(1) / factor, frames = x.size(2),
                bins = x.size(3);
  if (x.suggest_memory_format() == at::MemoryFormat::ChannelsLast) {
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
