#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "limbeck/audio/real_fft.h"

namespace limbeck {

/// The gain that a network gives to its top band, for what lies above it at another rate.
///
/// Energies before and after the network in the upper eighth of the band, in Hann windows of about
/// 16 ms that overlap by half, averaged over five of them; the gain is the root of their ratio, 1
/// at most, and goes in straight lines from window to window. No delay: windows lie around the
/// samples that they are for.
class TopBandGain {
 public:
  /// The band ends at `band_end_hz`; the gain is for samples at `rate_hz`. `link`: one gain for all
  /// channels, of their energies together.
  TopBandGain(int network_hz, double band_end_hz, int rate_hz, int channels, bool link);

  /// The next samples of the network's input and output: interleaved, equally many.
  void add(std::span<const float> before, std::span<const float> after);
  /// The signal ends here: the gain of all its samples is known.
  void finish();
  /// Samples per channel whose gain is known, from the next on.
  int64_t known() const;
  /// Multiplies the next samples, interleaved, at most known().
  void apply(std::span<float> samples);
  /// Forgets the signal.
  void reset();

 private:
  struct Energies {
    double before = 0;
    double after = 0;
  };

  void measure();
  double energy(const std::vector<float>& samples, int64_t channel);
  void smooth();

  const int64_t network_hz_;
  const int64_t rate_hz_;
  const int64_t channels_;
  const int64_t gains_a_frame_;
  const RealFft& fft_;
  const int64_t window_;
  const int64_t hop_;
  int64_t first_bin_ = 0;
  int64_t last_bin_ = 0;
  FloatBuffer hann_;
  FloatBuffer frame_;
  FloatBuffer scratch_;
  std::vector<float> before_;  // what the next windows cover, interleaved
  std::vector<float> after_;
  std::vector<Energies> energies_;  // of the last frames, [frame, gain]
  std::vector<double> gains_;       // [frame, gain], from frame `first_frame_` on
  int64_t first_frame_ = 0;
  int64_t position_ = 0;  // of the next sample, at rate_hz_
};

}  // namespace limbeck
