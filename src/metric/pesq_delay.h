#pragma once
// Delay estimation of PESQ: shared by the utterance alignment and the utterance splitting.

#include <span>
#include <vector>

#include "limbeck/audio/real_fft.h"
#include "metric/levels/pesq_alignment.h"
#include "metric/pesq_model.h"

namespace limbeck::metric::pesq {

struct DelayEstimate {
  int delay = 0;  // samples
  float confidence = 0;
};

/// Level that the lags of a frame must exceed to count, and their weight (01 1.10 step 4d).
struct PeakLevel {
  float level = 0;
  float weight = 0;
};

/// Valid until the next one.
struct FrameCorrelation {
  std::span<const float> values;
  PeakLevel peak;
};

/// The two signals under alignment and the buffers used for it.
class DelayFinder {
 public:
  DelayFinder(const FilteredSignal& reference, const FilteredSignal& degraded,
              const RateConstants& constants);

  /// Delay in samples at which the log activities of the whole signals correlate best (01 1.9).
  int coarse_delay();
  /// The same for reference windows [first, last) and the degraded ones `seed` samples later.
  int coarse_delay(int first, int last, int seed);
  /// Values that the last coarse_delay() correlated; empty if its stretches were too short.
  std::span<const float> last_correlation() const { return {coarse_.data(), correlation_count_}; }

  /// Delay of reference windows [first, last) to the sample, around `seed` (01 1.10).
  DelayEstimate fine_delay(int first, int last, int seed);

  /// Absolute cross-correlation of one frame of each signal under `window`; A circular lags.
  /// Without the 1/A of the inverse: it cancels in every use.
  FrameCorrelation correlate_frames(int reference_start, int degraded_start,
                                    const FloatBuffer& window);

  const FilteredSignal& reference() const { return reference_; }
  const FilteredSignal& degraded() const { return degraded_; }
  const RateConstants& constants() const { return constants_; }
  const FloatBuffer& hann() const { return hann_; }

 private:
  int correlate_activity(std::span<const float> reference, std::span<const float> degraded);

  const FilteredSignal& reference_;
  const FilteredSignal& degraded_;
  const RateConstants& constants_;
  const RealFft& fft_;
  FloatBuffer hann_;
  FloatBuffer frame_a_;
  FloatBuffer frame_b_;
  FloatBuffer scratch_;
  FloatBuffer histogram_;
  FloatBuffer coarse_;
  FloatBuffer coarse_b_;
  FloatBuffer coarse_scratch_;
  std::size_t correlation_count_ = 0;
};

/// Largest value and the position it first occurs at, folded to [-size / 2, size / 2).
struct HistogramPeak {
  float value = 0;
  int lag = 0;
};
HistogramPeak histogram_peak(std::span<const float> histogram);

/// Splits utterances whose delay changes inside (01 1.13).
void split_utterances(DelayFinder& finder, std::vector<Utterance>& utterances);

}  // namespace limbeck::metric::pesq
