#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {

/// Shape of one convolution over [B, C, T, F].
struct ConvOptions {
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t kernel_time = 1;
  int64_t kernel_freq = 1;
  int64_t stride_freq = 1;
  int64_t lookahead =
      0;  ///< frames of the future that the kernel reaches; the rest of it lies in the past
  bool depthwise = false;
  bool bias = true;
};

/// Convolution that keeps the number of frames; bins are padded to ⌈F / stride⌉.
class ConvImpl : public torch::nn::Module {
 public:
  explicit ConvImpl(const ConvOptions& options);
  at::Tensor forward(const at::Tensor& x) const;
  /// Products per frame for an input of `bins` bins.
  int64_t macs_per_frame(int64_t bins) const;

 private:
  ConvOptions options_;
  at::Tensor weight_;  // [out, in or 1, kernel_time, kernel_freq]
  at::Tensor bias_;    // [out], or undefined
};
TORCH_MODULE(Conv);

/// "batch": batch normalisation over B, T, F (Ioffe and Szegedy, 2015; momentum 0.1, ε 1e-5).
/// "none": identity.
class NormImpl : public torch::nn::Module {
 public:
  NormImpl(const std::string& type, int64_t channels);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  bool identity_;
  at::Tensor weight_, bias_, running_mean_, running_var_;  // [C]
};
TORCH_MODULE(Norm);

/// "relu6", "prelu" (one slope a channel) or "silu".
class ActivationImpl : public torch::nn::Module {
 public:
  ActivationImpl(const std::string& type, int64_t channels);
  /// May write into `x`.
  at::Tensor forward(at::Tensor x) const;

 private:
  std::string type_;
  at::Tensor weight_;  // [C], prelu only
};
TORCH_MODULE(Activation);

/// Moves s groups of channels into the bins: [B, s·C, T, F] → [B, C, T, s·F]; channel k·C + c of
/// bin f becomes channel c of bin s·f + k. In channels-last memory this only renames strides.
at::Tensor interleave_bins(const at::Tensor& x, int64_t factor);

}  // namespace limbeck::nn
