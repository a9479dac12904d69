#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "limbeck/nn/model.h"

// Legend: C channel, n samples that come together.

namespace limbeck::nn {

class DenoisingAutoencoder;
class StreamState;

/// Denoises a signal that comes in chunks of any size, frame by frame: the same output as the
/// network gives offline for the whole signal (within 1e-5), `delay_samples()` later.
class StreamingDenoiser {
 public:
  /// Puts the network in eval mode; one that is fused takes less time frame by frame. Samples come
  /// and go as [n]. Throws ConfigError for a network that cannot stream.
  explicit StreamingDenoiser(std::shared_ptr<DenoisingModel> model);
  /// The same for samples [C, n]. The channels run side by side, each for itself. With `link` they
  /// get one gain: in each frame and bin the mean over the channels of what the network would do to
  /// each, by power, so that a stereo image stays where it is.
  StreamingDenoiser(std::shared_ptr<DenoisingModel> model, int64_t channels, bool link = false);
  ~StreamingDenoiser();

  /// The next samples at the network's rate; returns what of the output is complete now, in order
  /// and without gaps, on the CPU.
  at::Tensor process(const at::Tensor& samples);
  /// The rest of the output, as many samples as went in; the next call begins a new signal.
  at::Tensor flush();
  /// Forgets the signal.
  void reset();
  /// Input after a sample that must be there before its output is complete, less than a hop more.
  int64_t delay_samples() const;

 private:
  at::Tensor advance(const at::Tensor& samples);
  at::Tensor add_frames(const at::Tensor& frames);

  std::shared_ptr<DenoisingModel> owner_;
  DenoisingAutoencoder& model_;
  int64_t channels_;
  bool link_;
  bool flat_ = false;  // samples come as [n]
  int64_t lookahead_frames_;
  std::unique_ptr<StreamState> state_;  // what the network keeps between frames
  at::Tensor input_;    // [C, ·]: window − hop samples that were in a frame, and new
  at::Tensor tail_;     // [C, window − hop]: sums that later frames still add to
  int64_t frames_ = 0;  // that went through the network
  int64_t received_ = 0;
  int64_t emitted_ = 0;  // negative: samples before the signal
};

}  // namespace limbeck::nn
