#pragma once

#include <span>

namespace limbeck::metric {

/// Scale-invariant signal-to-distortion ratio in dB (Le Roux, Wisdom, Erdogan, Hershey, "SDR -
/// half-baked or well done?", ICASSP 2019, eq. (3)). `zero_mean`: each signal loses its mean first.
///
/// Finite by construction: distortion or target below the rounding of double precision counts as
/// that rounding, so identical signals give 156.5 dB and orthogonal ones -156.5 dB.
///
/// Throws DataError: lengths differ, empty, not finite, clean or estimate silent (0 / 0) or, with
/// `zero_mean`, constant.
double si_sdr(std::span<const float> clean, std::span<const float> estimate,
              bool zero_mean = false);

}  // namespace limbeck::metric
