#pragma once

#include "limbeck/nn/complexity.h"
#include "limbeck/nn/layers.h"

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
  std::string norm = "batch";
  std::string activation = "relu6";
};

/// Linear inverted bottleneck (MobileNetV2, arXiv 1801.04381, section 3.3): 1x1 expansion by t,
/// norm, activation, depthwise k_T x k_F (stride in F only), norm, activation, 1x1 linear
/// projection, norm, no activation; the input is added where the shapes match. No expansion when t
/// = 1. To raise the number of bins the projection writes `upsample_freq` groups of channels that
/// are interleaved over F, so that the wide tensor is never larger than at the low resolution.
class InvertedBottleneckImpl : public torch::nn::Module {
 public:
  explicit InvertedBottleneckImpl(const InvertedBottleneckOptions& options);
  /// [B, in, T, F] → [B, out, T, F · upsample / stride]. With `stream`, `x` holds the next frames
  /// of a stream.
  at::Tensor forward(const at::Tensor& x, StreamState* stream = nullptr);
  /// Folds the batch norms into the convolutions before them.
  void fuse();
  /// For an input of `bins` bins.
  LayerCost cost(const std::string& name, int64_t bins) const;

 private:
  InvertedBottleneckOptions options_;
  bool residual_;
  Conv expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
  Norm expand_norm_{nullptr}, depthwise_norm_{nullptr}, project_norm_{nullptr};
  Activation expand_activation_{nullptr}, depthwise_activation_{nullptr};
};
TORCH_MODULE(InvertedBottleneck);

}  // namespace limbeck::nn
