#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limbeck {

/// Below these levels a signal counts as silence: it has no level worth scaling by.
inline constexpr double kSilentSpeechDbfs = -60;
inline constexpr double kSilentNoiseDbfs = -80;

/// RMS level; 0 dBFS is the RMS of a full-scale square wave, so a full-scale sine has −3.01 dBFS.
/// −infinity for digital silence and for no samples.
double level_dbfs(std::span<const float> samples);

/// Level of the parts in which somebody speaks, in dBFS, after the idea of ITU-T P.56: the mean
/// power of those 32 ms frames that lie at most 15.9 dB below that mean itself. The search starts
/// from the frames within 40 dB of the loudest one and rises, so silence around or between words,
/// digital or with a noise floor, does not shift the result, and one click does not become the
/// level. Unlike P.56 there is no hangover. −infinity for digital silence.
double active_level_dbfs(std::span<const float> speech, int rate_hz);

/// 10^(gain_db / 20).
double gain_of_db(double gain_db);

/// Multiplies in place.
void apply_gain(std::span<float> samples, double gain);

/// clean + g · noise, with g such that the active level of `clean` stands `snr_db` above the RMS
/// level of `noise` over these samples. Both spans have the same length.
///
/// Silent speech (active level below kSilentSpeechDbfs) has no SNR: the noise is added as it is.
/// Silent noise (level below kSilentNoiseDbfs) is added as it is too, so digital silence returns
/// `clean`.
std::vector<float> mix_at_snr(std::span<const float> clean, std::span<const float> noise,
                              int rate_hz, double snr_db);

/// Scales both by the same gain if either exceeds `limit` in magnitude, so that their relation
/// stays. Returns the gain, 1 if nothing had to be done.
double limit_peak(std::span<float> noisy, std::span<float> clean, float limit = 0.99F);

}  // namespace limbeck
