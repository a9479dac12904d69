#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "limbeck/nn/model.h"
#include "limbeck/nn/streaming_denoiser.h"

// Legend: B batch, C channel, L sample.

namespace limbeck::nn {

class Enhancer;

/// A signal on its way through a network: what goes in comes out enhanced, in order, without gaps,
/// later. The same output as of the whole signal, within 1e-5.
class EnhanceStream {
 public:
  EnhanceStream(const Enhancer& enhancer, int64_t channels, bool link);
  /// The next samples of all channels, [C, n] at the network's rate, on the CPU; returns what of
  /// the output is complete, [C, m]. A second at once is as fast as any more; beyond a few, and
  /// beyond what memory is meant for, they are worked on in turn.
  at::Tensor process(const at::Tensor& samples);
  /// The rest: as many samples come out in all as went in. The next call begins a new signal.
  at::Tensor flush();

 private:
  const Enhancer& enhancer_;
  StreamingDenoiser denoiser_;
  int64_t samples_at_once_;  // of each channel
};

/// How evaluation and limbeck-enhance run a network: in memory that does not depend on the length
/// of the signal, nor much on the network, which may come from anywhere. (Validation in training
/// needs more of the network than its estimates: it cuts what is long, and runs the task.) Used by
/// many threads at once; on a CPU each caller has one LibTorch thread, on a GPU one piece at a time
/// is in work. Lack of memory is for who knows the recording to name: see within_memory.
class Enhancer {
 public:
  /// What is no longer than this goes through the network as a whole, if memory is enough.
  static constexpr int64_t kPieceSeconds = 30;
  static constexpr int64_t kBytesAtOnce = int64_t{2} << 30;

  /// `bytes_at_once`: what a pass is to hold, about, of one signal; a single frame may need more.
  Enhancer(std::shared_ptr<DenoisingModel> model, at::Device device,
           Kernels kernels = Kernels::fused, int64_t bytes_at_once = kBytesAtOnce);

  /// `link`: all channels get one gain, as by StreamingDenoiser. The enhancer must outlive it.
  /// Throws ConfigError for a network that cannot stream.
  std::unique_ptr<EnhanceStream> stream(int64_t channels, bool link = false) const;
  /// Estimates of signals of one length, [B, L] → [B, L] on the CPU. What is longer than a piece,
  /// or too much for each of them as a whole, is streamed; B is the caller's to choose.
  at::Tensor operator()(const at::Tensor& noisy) const;

  int64_t rate_hz() const { return model_->rate_hz(); }
  const DenoisingModel& model() const { return *model_; }
  at::Device device() const { return device_; }

 private:
  friend class EnhanceStream;
  /// Calls `body` when it is its turn.
  at::Tensor in_turn(const std::function<at::Tensor()>& body) const;

  std::shared_ptr<DenoisingModel> model_;
  at::Device device_;
  int64_t samples_at_once_;  // of one channel
  mutable std::mutex gpu_;
};

}  // namespace limbeck::nn
