#pragma once

#include <cstdint>

#include "limbeck/audio/waveform.h"

namespace limbeck {

/// Throws DataError for a rate that is not positive, and for rates one of which is more than
/// kLargestRateRatio times the other: a header that says 1 Hz would ask for any amount of memory.
void require_rates(int from_hz, int to_hz);
inline constexpr int kLargestRateRatio = 200;

/// ⌈samples · to_hz / from_hz⌉: how many samples there are at the other rate.
inline int64_t resampled_size(int64_t samples, int from_hz, int to_hz) {
  return (samples * to_hz + from_hz - 1) / from_hz;
}

/// The waveform at another rate, by soxr at its "very high quality" (28 bits, linear phase, aligned
/// with the input). The result has resampled_size() samples; the same rate returns the input
/// unchanged. Throws DataError as require_rates does.
Waveform resample(const Waveform& waveform, int rate_hz);

}  // namespace limbeck
