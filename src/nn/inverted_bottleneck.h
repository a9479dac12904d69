#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/conv_unit.h"

namespace limbeck::nn {

/// Options of one linear inverted bottleneck.
struct InvertedBottleneckOptions {
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t expansion = 2;
  int64_t kernel_time = 1;
  int64_t kernel_freq = 3;
  int64_t stride_freq = 1;    ///< divides the bins
  int64_t upsample_freq = 1;  ///< multiplies the bins
  int64_t dilation_time = 1;
  int64_t lookahead = 0;  ///< frames of the future, at most the span of the kernel
  NormKind norm = NormKind::batch;
  ActivationKind activation = ActivationKind::relu6;

  /// Its convolutions in order, by their names.
  std::vector<std::pair<std::string, ConvUnitOptions>> units() const;
  /// Numbers that its modules keep.
  int64_t values() const;
};

/// Linear inverted bottleneck (MobileNetV2, arXiv 1801.04381, section 3.3): 1x1 expansion by t,
/// norm, activation, depthwise k_T x k_F (stride in F only), norm, activation, 1x1 linear
/// projection, norm, no activation; the input is added where the shapes match. No expansion when t
/// = 1. To raise the number of bins the projection writes `upsample_freq` groups of channels that
/// are interleaved over F, so that the wide tensor is never larger than at the low resolution.
class InvertedBottleneckImpl : public torch::nn::Module, public Part {
 public:
  explicit InvertedBottleneckImpl(const InvertedBottleneckOptions& options);
  /// [B, in, T, F] → [B, out, T, F · upsample / stride].
  at::Tensor forward(const at::Tensor& x, const Pass& pass = {}) override;
  void fuse() override;
  int64_t out_bins(int64_t bins) const override;
  std::vector<LayerCost> costs(const std::string& name, int64_t bins) const override;

 private:
  /// True if the kernel of the whole block takes `x`. It has no state of a stream, no instance
  /// norm, and without norms no gradients; a block without an expansion is two steps less.
  bool has_block_kernel(const at::Tensor& x, const Pass& pass) const;
  at::Tensor by_block_kernel(const at::Tensor& x, const Pass& pass) const;

  InvertedBottleneckOptions options_;
  bool residual_;
  std::vector<ConvUnit> units_;  // expand if t > 1, depthwise, project
};
TORCH_MODULE(InvertedBottleneck);

}  // namespace limbeck::nn
