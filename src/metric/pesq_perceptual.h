#pragma once
// The perceptual model of PESQ up to the disturbance of one frame.

#include <array>
#include <span>
#include <vector>

#include "limbeck/audio/real_fft.h"
#include "metric/levels/pesq_bands.h"
#include "metric/pesq_model.h"

namespace limbeck::metric::pesq {

/// Bands per frame in memory: the 42 or 49 of the model, padded with silence for SIMD.
inline constexpr std::size_t kBandStride = 64;
using BandRow = std::array<float, kBandStride>;

/// Power per Bark band of each frame (03 3.2, 3.3).
class PitchPower {
 public:
  explicit PitchPower(const RateConstants& constants);
  /// Band powers of the `frame` samples at `samples`.
  void compute(const float* samples, BandRow& bands);

 private:
  const RateConstants& constants_;
  const RealFft& fft_;
  FloatBuffer window_;
  FloatBuffer spectrum_;
  FloatBuffer scratch_;
};

struct FrameDisturbance {
  float symmetric = 0;
  float asymmetric = 0;
};

/// Loudness and disturbance of one frame (03 3.4, 3.6, 04 4.1 to 4.3).
class Listener {
 public:
  explicit Listener(const RateConstants& constants);

  /// Power of the bands 1.. that exceed `factor` times the hearing threshold (03 3.4).
  double audible_power(const BandRow& bands, float factor) const;
  FrameDisturbance disturbance(const BandRow& reference, const BandRow& degraded) const;

 private:
  BandTables tables() const;

  std::size_t band_count_;
  BandRow threshold_{};  // infinite for band 0, which does not count
  BandRow inverse_threshold_{};
  BandRow exponent_{};  // modified Zwicker power
  BandRow factor_{};    // Sl * (threshold / 0.5)^exponent
  BandRow width_{};     // Bark; 0 for band 0 and the padding, which do not count in the norms
  double total_width_ = 0;
};

/// Frames with a speech level that slowly follows the local gain (03 3.7).
class LocalGain {
 public:
  /// Scales `degraded` toward the loudness of the reference frame.
  void apply(const Listener& listener, double reference_power, bool first_frame, BandRow& degraded);

 private:
  float previous_ = 1;
};

/// Delay of the utterance that governs sample `position` (03 3.2).
int delay_at(std::span<const Utterance> utterances, int position, int window);

}  // namespace limbeck::metric::pesq
