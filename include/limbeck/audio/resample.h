#pragma once

#include "limbeck/audio/waveform.h"

namespace limbeck {

/// The waveform at another rate, by soxr at its "very high quality" (28 bits, linear phase, aligned
/// with the input). The result has ⌈samples · rate_hz / waveform.rate_hz⌉ samples; the same rate
/// returns the input unchanged. Throws DataError for a rate that is not positive.
Waveform resample(const Waveform& waveform, int rate_hz);

}  // namespace limbeck
