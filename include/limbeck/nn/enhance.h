#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "limbeck/nn/model.h"

// Legend: C channel, L sample.

namespace limbeck::nn {

/// How a signal that is longer than a piece is put together.
enum class Joins {
  streamed,     ///< frame by frame (causal networks): within 1e-5 of the whole
  exact,        ///< pieces that overlap by all that the network sees: within 1e-5 of the whole
  cross_faded,  ///< pieces of a network that sees everything (recurrence with lookahead), faded
};

/// A signal on its way through a network: what goes in comes out enhanced, in order, without gaps,
/// later.
class EnhanceStream {
 public:
  virtual ~EnhanceStream() = default;
  /// The next samples of all channels, [C, n] at the network's rate, on the CPU; returns what of
  /// the output is complete, [C, m].
  virtual at::Tensor process(const at::Tensor& samples) = 0;
  /// The rest: as many samples come out in all as went in. The next call begins a new signal.
  virtual at::Tensor flush() = 0;
};

/// The one way in which a network is run outside of training: in memory that does not depend on the
/// length of the signal. Used by many threads at once; on a CPU each caller has one LibTorch
/// thread, on a GPU one piece at a time is in work.
class Enhancer {
 public:
  Enhancer(std::shared_ptr<DenoisingModel> model, at::Device device,
           Kernels kernels = Kernels::fused);

  /// `link`: all channels get one gain, the mean over the channels of what the network would do to
  /// each, by power, so that a stereo image stays where it is.
  std::unique_ptr<EnhanceStream> stream(int64_t channels, bool link = false) const;
  /// Estimates of signals of one length, [B, L] → [B, L] on the CPU. What fits into a piece is one
  /// pass of the whole.
  at::Tensor operator()(const at::Tensor& noisy) const;

  Joins joins() const;
  int64_t rate_hz() const { return model_->rate_hz(); }
  const DenoisingModel& model() const { return *model_; }
  at::Device device() const { return device_; }

 private:
  std::shared_ptr<DenoisingModel> model_;
  at::Device device_;
  mutable std::mutex gpu_;
};

}  // namespace limbeck::nn
