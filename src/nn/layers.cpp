#include "limbeck/nn/layers.h"

#include <torch/types.h>

#include <algorithm>

#include "nn/kernel_support.h"
#include "nn/kernels.h"
#include "nn/pass.h"

namespace limbeck::nn {
namespace {

/// `before` [B, C, span, F] (undefined: so many frames of zeros), and the frames of `x` behind it.
at::Tensor join_frames(const at::Tensor& before, const at::Tensor& x, int64_t span) {
  const int64_t batch = x.size(0), channels = x.size(1), frames = x.size(2), bins = x.size(3);
  const int64_t frame = channels * bins;
  if (!before.defined()) {
    return at::constant_pad_nd(x, {0, 0, span, 0});
  }
  // Of `before` only the items may lie apart: it is a view of frames that came before.
  const bool rows =
      before.stride(1) == 1 && before.stride(3) == channels && before.stride(2) == frame;
  if (!rows || !has_kernel(x) || !has_kernel(before.narrow(0, 0, 1)))
    return at::cat({before, x}, 2);
  auto all = empty_rows({batch, channels, span + frames, bins});
  float* to = all.data_ptr<float>();
  for (int64_t b = 0; b < batch; ++b) {
    to = std::copy_n(rows_of(before) + b * before.stride(0), span * frame, to);
    to = std::copy_n(rows_of(x) + b * frames * frame, frames * frame, to);
  }
  return all;
}

}  // namespace

ActivationImpl::ActivationImpl(ActivationKind kind, int64_t channels) : kind_(kind) {
  if (kind == ActivationKind::prelu) {
    weight_ = register_parameter("weight", torch::full({channels}, 0.25));
  }
}

at::Tensor ActivationImpl::forward(at::Tensor x, const Pass* pass) const {
  if (pass != nullptr) pass->by_libtorch("activation");
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

at::Tensor ConvImpl::forward_alone(const at::Tensor& x, const Execution& execution) const {
  const bool channels_last = x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
  return forward(
      x, Pass{.kernels = execution.kernels, .use = execution.use, .channels_last = channels_last});
}

at::Tensor ConvImpl::forward(const at::Tensor& given_x, const Pass& pass) const {
  const auto& o = options_;
  const int64_t span = o.span();
  const at::Tensor x = pass.for_kernels(given_x);
  if (pass.stream != nullptr && span > 0) {
    at::Tensor& before = pass.stream->of(this);  // [B, C, span, F]
    const auto all = join_frames(before, x, before.defined() ? span : span - o.lookahead);
    if (pass.stream->ending()) return convolve(all, 0, o.lookahead, pass);
    TORCH_CHECK(all.size(2) > span, "Conv: a stream begins with less than a kernel looks ahead");
    before = all.narrow(2, all.size(2) - span, span);
    // A view keeps all frames that came together in memory.
    if (x.size(2) > span) before = before.clone();
    return convolve(all, 0, 0, pass);
  }
  // A kernel that looks back meets no padding while it stands on the signal.
  const bool meets_padding = pass.valid != nullptr && o.lookahead > 0;
  return convolve(meets_padding ? pass.valid->cut(x) : x, span - o.lookahead, o.lookahead, pass);
}

bool ConvImpl::pointwise() const {
  return weight_.size(2) == 1 && weight_.size(3) == 1 && options_.stride_freq == 1 &&
         !options_.depthwise;
}

at::Tensor ConvImpl::convolve(const at::Tensor& x, int64_t before, int64_t after,
                              const Pass& pass) const {
  const auto& o = options_;
  const char* no_kernel = pass.no_kernel_for(x);
  if (o.depthwise && no_kernel == nullptr) {
    pass.by_kernel("depthwise_conv");
    return depthwise_conv(x, weight_, bias_, {o.stride_freq, o.dilation_time, before, after});
  }
  if (pointwise() && no_kernel == nullptr) {
    return rows(x.permute({0, 2, 3, 1}), pass).permute({0, 3, 1, 2});
  }
  pass.by_libtorch(o.depthwise   ? "depthwise_conv"
                   : pointwise() ? "conv 1x1"
                                 : "conv",
                   o.depthwise || pointwise() ? no_kernel : "");
  return pass.for_kernels(convolve_by_libtorch(x, before, after, pass.channels_last));
}

at::Tensor ConvImpl::convolve_by_libtorch(const at::Tensor& x, int64_t before, int64_t after,
                                          bool channels_last) const {
  const auto& o = options_;
  // Of one side's padding a depthwise convolution is spared the copy of its wide input: padding
  // wide enough for both sides costs a few frames more. Others have few channels to copy.
  const bool pads_first = !o.depthwise && before != after;
  const int64_t padding = pads_first ? 0 : std::max(before, after);
  at::Tensor in = pads_first ? at::constant_pad_nd(x, {0, 0, before, after}) : x;
  // One channel lies in either order, and LibTorch goes by its stride: from that of the contiguous
  // order would come a feature map in that order, and all behind it would lose the kernels.
  if (channels_last && in.size(1) == 1) in = in.squeeze(1).unsqueeze(3).permute({0, 3, 1, 2});
  const auto y = at::conv2d(in, weight_, bias_, {1, o.stride_freq}, {padding, o.kernel_freq / 2},
                            {o.dilation_time, 1}, o.depthwise ? o.in_channels : 1);
  const int64_t frames = x.size(2) + before + after - o.span();
  return y.size(2) == frames ? y : y.narrow(2, padding - before, frames);
}

at::Tensor ConvImpl::rows(const at::Tensor& x, const Pass& pass) const {
  const char* no_kernel = pass.no_kernel_for(x.permute({0, 3, 1, 2}));
  if (no_kernel == nullptr) {
    pass.by_kernel("conv 1x1");
    return pointwise_conv(x, weight_, bias_);
  }
  pass.by_libtorch("conv 1x1", no_kernel);
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
