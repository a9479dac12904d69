#pragma once

#include <span>

namespace limbeck::metric {

/// Segmental signal-to-noise ratio in dB (Hansen, Pellom, ICSLP 1998; `comp_snr.m` in Loizou,
/// "Speech Enhancement", 2nd ed., 2013): mean over Hann-windowed frames of 30 ms every 7.5 ms, each
/// clamped to [-10, 35] dB. Depends on the level of the estimate.
///
/// Throws DataError: lengths differ, not finite, too short for one frame, rate below 1 kHz,
/// clean silent (the MATLAB code returns -10 for that).
double segmental_snr(std::span<const float> clean, std::span<const float> estimate, int rate_hz);

}  // namespace limbeck::metric
