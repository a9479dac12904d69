#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

#include "limbeck/config/schema.h"
#include "limbeck/nn/execution.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {

struct Pass;

/// `prelu` has one slope a channel.
enum class ActivationKind { relu6, prelu, silu };

inline config::Names<ActivationKind> names_of(ActivationKind) {
  return {{"relu6", ActivationKind::relu6},
          {"prelu", ActivationKind::prelu},
          {"silu", ActivationKind::silu}};
}

class ActivationImpl : public torch::nn::Module {
 public:
  ActivationImpl(ActivationKind kind, int64_t channels);
  /// May write into `x`.
  at::Tensor forward(at::Tensor x, const Pass* pass = nullptr) const;
  ActivationKind kind() const { return kind_; }
  /// [C], undefined but for `prelu`.
  const at::Tensor& slope() const { return weight_; }

 private:
  ActivationKind kind_;
  at::Tensor weight_;
};
TORCH_MODULE(Activation);

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
  /// Numbers that it learns.
  int64_t values() const {
    const int64_t in = depthwise ? 1 : in_channels;
    return out_channels * (in * kernel_time * kernel_freq + (bias ? 1 : 0));
  }
};

/// Convolution that keeps the number of frames; bins are padded to ⌈F / stride⌉.
class ConvImpl : public torch::nn::Module {
 public:
  explicit ConvImpl(const ConvOptions& options);
  /// `pass` may say that `x` holds the next frames of a stream, of which the last ones wait until
  /// what the kernel looks ahead has come, or items with padding, in place of which it meets zeros.
  at::Tensor forward(const at::Tensor& x, const Pass& pass) const;
  /// The same outside of a network: on whole signals, without padding, in the memory format of `x`.
  at::Tensor forward_alone(const at::Tensor& x, const Execution& execution) const;
  /// A 1x1 convolution on rows [B, T, F, C].
  at::Tensor rows(const at::Tensor& x, const Pass& pass) const;
  /// From now on gives scale · y + shift, [out] each, in place of y.
  void rescale(const at::Tensor& scale, const at::Tensor& shift);
  const ConvOptions& options() const { return options_; }
  const at::Tensor& weight() const { return weight_; }
  /// Undefined where there is none.
  const at::Tensor& bias() const { return bias_; }
  int64_t out_bins(int64_t bins) const {
    return (bins + options_.stride_freq - 1) / options_.stride_freq;
  }
  /// Products per frame for an input of `bins` bins.
  int64_t macs_per_frame(int64_t bins) const { return out_bins(bins) * weight_.numel(); }
  /// Numbers written per frame.
  int64_t activations(int64_t bins) const { return out_bins(bins) * options_.out_channels; }
  int64_t state_values(int64_t bins) const { return options_.span() * options_.in_channels * bins; }

 private:
  bool pointwise() const;
  /// With so many zeros before and after the frames of `x`.
  at::Tensor convolve(const at::Tensor& x, int64_t before, int64_t after, const Pass& pass) const;
  /// The same by LibTorch's convolution.
  at::Tensor convolve_by_libtorch(const at::Tensor& x, int64_t before, int64_t after,
                                  bool channels_last) const;

  ConvOptions options_;
  at::Tensor weight_;  // [out, in or 1, kernel_time, kernel_freq]
  at::Tensor bias_;    // [out], or undefined
};
TORCH_MODULE(Conv);

}  // namespace limbeck::nn
