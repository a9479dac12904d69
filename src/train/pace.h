#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <nlohmann/json_fwd.hpp>

#include "limbeck/data/batch.h"

namespace limbeck {

/// Measures how fast training goes, from one line of metrics.jsonl to the next.
class Pace {
 public:
  Pace(int rate_hz, const at::Device& device) : rate_hz_(rate_hz), device_(device) {}

  /// Begins anew, at the start of a sitting and after what is no training.
  void begin();
  void add_audio(const Batch& batch);
  /// `waited` is what the sitting waited for data so far, in seconds.
  void end_step(double waited);
  /// Since it began, which it does anew: `steps_per_second`, `audio_seconds_per_second`, `waiting`
  /// (share of the time), and what memory the process, and on a GPU its tensors, take now
  /// (`memory_mib`, `device_memory_mib` where LibTorch tells).
  nlohmann::json lap();

 private:
  using Clock = std::chrono::steady_clock;
  int rate_hz_;
  at::Device device_;
  Clock::time_point begun_ = Clock::now();
  double waited_before_ = 0;
  double waited_ = 0;
  int64_t steps_ = 0;
  int64_t samples_ = 0;
};

}  // namespace limbeck
