#pragma once

#include <memory>
#include <span>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"

namespace limbeck::metric {

/// Polyphase resampler with the filter of Octave's `resample` (Kaiser window, 60 dB), zero phase,
/// silence beyond the ends: what pystoi does through scipy's `resample_poly`.
class OctaveResampler {
 public:
  OctaveResampler(int from_hz, int to_hz);
  FloatBuffer resample(std::span<const float> signal) const;

 private:
  int up_;
  int down_;
  int half_length_;         // of the filter, in samples at the common multiple of the rates
  std::size_t phase_taps_;  // per output sample, a multiple of 16
  FloatBuffer phases_;      // [up_, phase_taps_]
  std::vector<int> first_;  // first input sample of each phase
};

/// The resampler between two rates, built at its first use and kept.
std::shared_ptr<const OctaveResampler> shared_octave_resampler(int from_hz, int to_hz);

}  // namespace limbeck::metric
