#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>

#include "limbeck/nn/layers.h"
#include "nn/pass.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {

/// `batch`: batch normalisation over B, T, F (Ioffe and Szegedy, arXiv 1502.03167; momentum 0.1);
/// in training, padding is no part of the batch and comes out as zeros.
/// `instance`: cumulative instance normalisation: mean and variance of a channel over the bins of
/// all frames up to the present one, so it is causal and knows nothing of other items. `none`:
/// identity. ε is 1e-5.
enum class NormKind { batch, instance, none };

constexpr double kNormEpsilon = 1e-5;
constexpr double kNormMomentum = 0.1;

inline config::Names<NormKind> names_of(NormKind) {
  return {{"batch", NormKind::batch}, {"instance", NormKind::instance}, {"none", NormKind::none}};
}

/// Numbers that a norm of so many channels keeps: two are learned, two are running statistics.
constexpr int64_t values_of(NormKind kind, int64_t channels) {
  return kind == NormKind::none ? 0 : kind == NormKind::batch ? 4 * channels : 2 * channels;
}

class NormImpl : public torch::nn::Module {
 public:
  NormImpl(NormKind kind, int64_t channels);
  at::Tensor forward(const at::Tensor& x, const Pass& pass = {}) const;
  /// The same with `activation` behind it, in one pass where there is a kernel for that.
  at::Tensor activate(const at::Tensor& x, const Activation& activation,
                      const Pass& pass = {}) const;
  NormKind kind() const { return kind_; }
  struct Affine {
    at::Tensor scale, shift;  // [C]
  };
  /// What a batch norm does in eval mode: scale · x + shift.
  Affine affine() const;
  struct BatchNorm {
    at::Tensor weight, bias, running_mean, running_var;  // [C], undefined where there are none
  };
  BatchNorm batch_norm() const { return {weight_, bias_, running_mean_, running_var_}; }
  int64_t state_values() const { return kind_ == NormKind::instance ? 3 * weight_.numel() : 0; }

 private:
  at::Tensor instance(const at::Tensor& x, StreamState* stream) const;
  at::Tensor batch(const at::Tensor& x, const Pass& pass) const;
  /// By the kernel. `activation` may be null.
  at::Tensor batch_by_kernel(const at::Tensor& x, const ActivationImpl* activation,
                             const Pass& pass) const;
  /// In training, by LibTorch's operators.
  at::Tensor batch_of_valid(const at::Tensor& x, const ValidFrames& valid) const;

  NormKind kind_;
  at::Tensor weight_, bias_, running_mean_, running_var_;  // [C]
};
TORCH_MODULE(Norm);

/// Lets `conv` do what the batch norm behind it does; the identity takes the norm's place, also as
/// the module `name` of `parent`. The norm may have fewer channels, which then repeat. Other norms
/// stay.
void fold_norm(torch::nn::Module& parent, const std::string& name, Conv& conv, Norm& norm);

}  // namespace limbeck::nn
