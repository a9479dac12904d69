#include "nn/norm.h"

#include <torch/types.h>

#include <algorithm>

#include "nn/kernels.h"

namespace limbeck::nn {

NormImpl::NormImpl(NormKind kind, int64_t channels) : kind_(kind) {
  if (kind == NormKind::none) return;
  weight_ = register_parameter("weight", torch::ones({channels}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
  if (kind != NormKind::batch) return;
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}));
  running_var_ = register_buffer("running_var", torch::ones({channels}));
}

at::Tensor NormImpl::forward(const at::Tensor& x, const Pass& pass) const {
  switch (kind_) {
    case NormKind::batch:
      return batch(x, pass);
    case NormKind::instance:
      pass.by_libtorch("instance_norm");
      return instance(x, pass.stream);
    case NormKind::none:
      break;
  }
  return x;
}

at::Tensor NormImpl::activate(const at::Tensor& x, const Activation& activation,
                              const Pass& pass) const {
  if (kind_ == NormKind::batch && pass.no_kernel_for(x) == nullptr) {
    return batch_by_kernel(x, activation.get(), pass);
  }
  return activation->forward(forward(x, pass), &pass);
}

at::Tensor NormImpl::batch(const at::Tensor& x, const Pass& pass) const {
  const char* reason = pass.no_kernel_for(x);
  if (reason == nullptr) return batch_by_kernel(x, nullptr, pass);
  pass.by_libtorch("batch_norm", reason);
  if (is_training() && pass.valid != nullptr) return batch_of_valid(x, *pass.valid);
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, is_training(),
                        kNormMomentum, kNormEpsilon, false);
}

at::Tensor NormImpl::batch_by_kernel(const at::Tensor& x, const ActivationImpl* activation,
                                     const Pass& pass) const {
  pass.by_kernel(activation == nullptr ? "batch_norm" : "batch_norm + activation");
  // Outside of training, running statistics are what they are.
  const ValidFrames* valid = is_training() ? pass.valid : nullptr;
  const Activate then = activation == nullptr ? Activate::none : activate_of(activation->kind());
  return batch_norm_activate(x, weight_, bias_, activation ? activation->slope() : at::Tensor(),
                             running_mean_, running_var_,
                             {is_training(), kNormMomentum, kNormEpsilon, then,
                              valid ? valid->counts() : std::vector<int64_t>()});
}

at::Tensor NormImpl::batch_of_valid(const at::Tensor& x, const ValidFrames& valid) const {
  const auto count = static_cast<double>(valid.total() * x.size(3));
  const auto mean = valid.cut(x).sum({0, 2, 3}, true) / count;  // [1, C, 1, 1]
  const auto centred = valid.cut(x - mean);
  const auto variance = centred.square().sum({0, 2, 3}, true) / count;
  {
    at::NoGradGuard no_grad;
    running_mean_.mul_(1 - kNormMomentum).add_(mean.flatten(), kNormMomentum);
    running_var_.mul_(1 - kNormMomentum)
        .add_(variance.flatten(), kNormMomentum * count / std::max(count - 1, 1.0));
  }
  const auto scale = (variance + kNormEpsilon).rsqrt() * weight_.view({-1, 1, 1});
  return valid.cut(centred * scale + bias_.view({-1, 1, 1}));
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
  const auto scale = (variance + kNormEpsilon).rsqrt() * weight_.unsqueeze(1);
  const auto shift = bias_.unsqueeze(1) - mean * scale;
  return x * scale.to(x.dtype()).unsqueeze(3) + shift.to(x.dtype()).unsqueeze(3);
}

NormImpl::Affine NormImpl::affine() const {
  at::NoGradGuard no_grad;
  const auto scale = weight_ * (running_var_ + kNormEpsilon).rsqrt();
  return {scale, bias_ - running_mean_ * scale};
}

void fold_norm(torch::nn::Module& parent, const std::string& name, Conv& conv, Norm& norm) {
  if (norm->kind() != NormKind::batch) return;
  const auto folded = norm->affine();
  const int64_t copies = conv->options().out_channels / folded.scale.size(0);
  conv->rescale(folded.scale.repeat({copies}), folded.shift.repeat({copies}));
  norm = parent.replace_module(name, Norm(NormKind::none, 0));
}

}  // namespace limbeck::nn
