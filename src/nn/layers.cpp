#include "limbeck/nn/layers.h"

#include <torch/types.h>

#include <algorithm>

#include "nn/kernels.h"
#include "nn/pass.h"

namespace limbeck::nn {

ActivationImpl::ActivationImpl(ActivationKind kind, int64_t channels) : kind_(kind) {
  if (kind == ActivationKind::prelu) {
    weight_ = register_parameter("weight", torch::full({channels}, 0.25));
  }
}

at::Tensor ActivationImpl::forward(at::Tensor x) const {
  switch (kind_) {
    case ActivationKind::prelu:
      return at::prelu(x, weight_);
    case ActivationKind::silu:
      return at::silu(x);
    case ActivationKind::relu6:
      break;
  }
  return at::hardtanh_(x, 0, 6);
}

ConvImpl::ConvImpl(const ConvOptions& options) : options_(options) {
  const int64_t in = options.depthwise ? 1 : options.in_channels;
  weight_ = register_parameter(
      "weight", torch::empty({options.out_channels, in, options.kernel_time, options.kernel_freq}));
  if (options.bias) bias_ = register_parameter("bias", torch::empty({options.out_channels}));
}

at::Tensor ConvImpl::forward(const at::Tensor& x, const Pass* given) const {
  const Pass pass = given ? *given : Pass();
  const auto& o = options_;
  const int64_t span = o.span();
  if (pass.stream != nullptr && span > 0) {
    TORCH_CHECK(o.lookahead == 0, "Conv: a kernel with lookahead cannot stream");
    at::Tensor& before = pass.stream->of(this);  // [B, C, span, F]
    if (!before.defined()) before = at::zeros({x.size(0), x.size(1), span, x.size(3)}, x.options());
    const auto all = at::cat({before, x}, 2).contiguous(x.suggest_memory_format());
    before = all.narrow(2, x.size(2), span).clone();
    return convolve(all, 0, 0);
  }
  // A kernel that looks back meets no padding while it stands on the signal.
  const bool meets_padding = pass.valid != nullptr && o.lookahead > 0;
  return convolve(meets_padding ? pass.valid->cut(x) : x, span - o.lookahead, o.lookahead);
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

void ConvImpl::rescale(const at::Tensor& scale, const at::Tensor& shift) {
  at::NoGradGuard no_grad;
  weight_.mul_(scale.view({-1, 1, 1, 1}));
  if (bias_.defined()) {
    bias_.mul_(scale).add_(shift);
  } else {
    bias_ = register_parameter("bias", shift);
  }
}

}  // namespace limbeck::nn
