#pragma once

#include <optional>

#include "nn/kernel_block.h"
#include "nn/norm.h"
#include "nn/part.h"

namespace limbeck::nn {

struct ConvUnitOptions {
  ConvOptions conv;           ///< without a bias if a norm follows, which has its own
  int64_t upsample_freq = 1;  ///< groups of channels that are interleaved into the bins
  NormKind norm = NormKind::none;
  std::optional<ActivationKind> activation = {};

  /// Channels behind the interleaving.
  int64_t channels() const { return conv.out_channels / upsample_freq; }
  /// The convolution as it is made.
  ConvOptions own_conv() const {
    ConvOptions own = conv;
    own.bias = norm == NormKind::none;
    return own;
  }
  /// Numbers that the modules of the unit keep.
  int64_t values() const {
    const int64_t slopes = activation == ActivationKind::prelu ? channels() : 0;
    return own_conv().values() + values_of(norm, channels()) + slopes;
  }
};

/// A convolution and what follows it: interleaving into the bins, a norm, an activation.
class ConvUnit : public Part {
 public:
  /// Registers its modules in `parent`, which owns it, as `name`, `name`_norm, `name`_activation.
  ConvUnit(torch::nn::Module& parent, const std::string& name, const ConvUnitOptions& options);
  at::Tensor forward(const at::Tensor& x, const Pass& pass) override;
  void fuse() override;
  int64_t out_bins(int64_t bins) const override { return conv_->out_bins(bins) * upsample_; }
  std::vector<LayerCost> costs(const std::string& name, int64_t bins) const override;
  const ConvOptions& conv() const { return conv_->options(); }
  NormKind norm() const { return norm_->kind(); }
  /// What the kernel of a whole block takes; not for an instance norm.
  BlockUnit block_unit() const;

 private:
  torch::nn::Module& parent_;
  std::string norm_name_;
  int64_t upsample_;
  Conv conv_{nullptr};
  Norm norm_{nullptr};
  Activation activation_{nullptr};  // null: none
};

/// Moves s groups of channels into the bins: [B, s·C, T, F] → [B, C, T, s·F]; channel k·C + c of
/// bin f becomes channel c of bin s·f + k. In channels-last memory this only renames strides.
at::Tensor interleave_bins(const at::Tensor& x, int64_t factor);

}  // namespace limbeck::nn
