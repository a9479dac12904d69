#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "limbeck/nn/model.h"

namespace limbeck::nn {

class DenoisingAutoencoder;
class StreamState;

/// Denoises a signal that comes in chunks of any size, frame by frame: the same output as the
/// network gives offline for the whole signal (within 1e-5), `delay_samples()` later. Causal
/// networks only.
class StreamingDenoiser {
 public:
  /// Fuses the network and puts it in eval mode. Throws ConfigError, with the reason, for a network
  /// that cannot stream.
  explicit StreamingDenoiser(std::shared_ptr<DenoisingModel> model);
  ~StreamingDenoiser();

  /// The next samples [n] at the network's rate; returns what of the output is complete now, [m],
  /// in order and without gaps.
  at::Tensor process(const at::Tensor& samples);
  /// The rest of the output, as many samples as went in; the next call begins a new signal.
  at::Tensor flush();
  /// Forgets the signal.
  void reset();
  /// Input after a sample that must be there before its output is complete, less than a hop more.
  int64_t delay_samples() const;

 private:
  at::Tensor enhance(int64_t frames);

  std::shared_ptr<DenoisingModel> owner_;
  DenoisingAutoencoder& model_;
  std::unique_ptr<StreamState> state_;  // what the network keeps between frames
  std::vector<float> input_;            // window − hop samples that were in a frame, and new ones
  std::vector<float> tail_;             // window − hop sums that later frames still add to
  int64_t received_ = 0;
  int64_t emitted_ = 0;  // negative: samples before the signal
};

}  // namespace limbeck::nn
