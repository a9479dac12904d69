#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>

#include "limbeck/config/schema.h"

// Legend: B batch, F bin, T frame, L sample.

namespace limbeck {

/// Frames of a short-time Fourier transform.
struct StftOptions {
  int64_t window_samples = 512;
  int64_t hop_samples = 256;
  int64_t fft_samples = 512;
  std::string window = "sqrt_hann";

  void describe(config::Visitor& v);
  int64_t bins() const { return fft_samples / 2 + 1; }
  /// Frames that touch `samples` samples.
  int64_t frames(int64_t samples) const;
};

/// Short-time Fourier transform and its inverse, laid out so that a stream of hops gives the same
/// frames as the whole signal: window − hop zeros on the left, no centring, no reflection. Frame t
/// covers the samples
/// [(t + 1) · hop − window, (t + 1) · hop). The synthesis window is the analysis window divided by
/// the sum of its squares over all frames that overlap, so inverse(forward(x)) = x for every window
/// and hop.
class StftImpl : public torch::nn::Module {
 public:
  explicit StftImpl(const StftOptions& options);

  /// [B, L] → complex [B, T, F].
  at::Tensor forward(const at::Tensor& signal) const;
  /// Complex [B, T, F] → [B, L] of `samples` samples.
  at::Tensor inverse(const at::Tensor& spectrum, int64_t samples) const;
  /// Frames of samples, [B, T, window] → complex [B, T, F].
  at::Tensor analyse(const at::Tensor& frames) const;
  /// Complex [B, T, F] → what each frame adds to the signal, [B, T, window].
  at::Tensor synthesise(const at::Tensor& spectrum) const;
  const StftOptions& options() const { return options_; }

 private:
  StftOptions options_;
  at::Tensor analysis_window_;   // [window]
  at::Tensor synthesis_window_;  // [window]
};
TORCH_MODULE(Stft);

}  // namespace limbeck
