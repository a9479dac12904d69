#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>

#include "limbeck/nn/stream_state.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {

/// "relu6", "prelu" (one slope a channel) or "silu".
class ActivationImpl : public torch::nn::Module {
 public:
  ActivationImpl(const std::string& type, int64_t channels);
  /// May write into `x`.
  at::Tensor forward(at::Tensor x) const;

 private:
  friend class NormImpl;
  std::string type_;
  at::Tensor weight_;  // [C], prelu only
};
TORCH_MODULE(Activation);

/// "batch": batch normalisation over B, T, F (Ioffe and Szegedy, arXiv 1502.03167; momentum 0.1).
/// "instance": cumulative instance normalisation: mean and variance of a channel over the bins of
/// all frames up to the present one, so it is causal and knows nothing of other items. "none":
/// identity. ε is 1e-5.
class NormImpl : public torch::nn::Module {
 public:
  NormImpl(const std::string& type, int64_t channels);
  /// With `stream`, `x` holds the next frames of a stream.
  at::Tensor forward(const at::Tensor& x, StreamState* stream = nullptr) const;
  /// The same with `activation` behind it, in one pass where there is a kernel for that.
  at::Tensor activate(const at::Tensor& x, const Activation& activation,
                      StreamState* stream = nullptr) const;
  bool is_batch() const { return type_ == "batch"; }
  int64_t state_values() const { return type_ == "instance" ? 3 * weight_.numel() : 0; }

 private:
  friend class ConvImpl;
  at::Tensor instance(const at::Tensor& x, StreamState* stream) const;
  /// `activation` may be null.
  at::Tensor batch(const at::Tensor& x, const ActivationImpl* activation) const;

  std::string type_;
  at::Tensor weight_, bias_, running_mean_, running_var_;  // [C]
};
TORCH_MODULE(Norm);

/// Shape of one convolution over [B, C, T, F].
struct ConvOptions {
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t kernel_time = 1;
  int64_t kernel_freq = 1;
  int64_t stride_freq = 1;
  int64_t dilation_time = 1;
  int64_t lookahead = 0;  ///< frames of the future that the kernel reaches; the rest is the past
  bool depthwise = false;
  bool bias = true;

  /// Frames before the present one and after it that the kernel covers.
  int64_t span() const { return (kernel_time - 1) * dilation_time; }
};

/// Convolution that keeps the number of frames; bins are padded to ⌈F / stride⌉.
class ConvImpl : public torch::nn::Module {
 public:
  explicit ConvImpl(const ConvOptions& options);
  /// With `stream`, `x` holds the next frames of a stream; needs a kernel without lookahead.
  at::Tensor forward(const at::Tensor& x, StreamState* stream = nullptr) const;
  /// A 1x1 convolution on rows [..., C].
  at::Tensor rows(const at::Tensor& x) const;
  /// Takes over what a batch norm behind it does; the norm becomes the identity. The norm may have
  /// fewer channels, which then repeat. Other norms stay.
  void fold(NormImpl& norm);
  const ConvOptions& options() const { return options_; }
  int64_t out_bins(int64_t bins) const {
    return (bins + options_.stride_freq - 1) / options_.stride_freq;
  }
  /// Products per frame for an input of `bins` bins.
  int64_t macs_per_frame(int64_t bins) const { return out_bins(bins) * weight_.numel(); }
  /// Numbers written per frame.
  int64_t activations(int64_t bins) const { return out_bins(bins) * options_.out_channels; }
  int64_t state_values(int64_t bins) const { return options_.span() * options_.in_channels * bins; }

 private:
  /// With so many zeros before and after the frames of `x`.
  at::Tensor convolve(const at::Tensor& x, int64_t before, int64_t after) const;

  ConvOptions options_;
  at::Tensor weight_;  // [out, in or 1, kernel_time, kernel_freq]
  at::Tensor bias_;    // [out], or undefined
};
TORCH_MODULE(Conv);

/// Moves s groups of channels into the bins: [B, s·C, T, F] → [B, C, T, s·F]; channel k·C + c of
/// bin f becomes channel c of bin s·f + k. In channels-last memory this only renames strides.
at::Tensor interleave_bins(const at::Tensor& x, int64_t factor);

}  // namespace limbeck::nn
