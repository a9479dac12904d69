#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limbeck {

/// Below these levels a signal counts as silence: it has no level worth scaling by.
inline constexpr double kSilentSpeechDbfs = -60;
inline constexpr double kSilentNoiseDbfs = -80;

/// 0 for no samples.
double mean_of(std::span<const float> samples);

/// RMS level without the mean, which nobody hears; 0 dBFS is the RMS of a full-scale square wave,
/// so a full-scale sine has −3.01 dBFS. −infinity for a constant (digital silence, say) and for no
/// samples.
double level_dbfs(std::span<const float> samples);

/// True below kSilentNoiseDbfs.
bool is_silent(std::span<const float> samples);

/// True where the mean is that of a faulty converter: above −60 dBFS, and at most 12 dB below the
/// level of the rest.
bool has_offset(std::span<const float> samples);

/// Active speech level in dBFS, by method B of ITU-T P.56 (12/2011, clause 7): the energy of the
/// signal over the time in which somebody speaks, so that silence does not shift it. An envelope
/// (two exponential averages of |x| of 30 ms) is active while it is above a threshold and for 0.2 s
/// afterwards, and the threshold lies 15.9 dB below the level that comes out. P.56 counts at
/// thresholds that are powers of two and interpolates; here the threshold is solved for, so a gain
/// of g dB changes the level by g dB. The mean is taken out of x first: it would be activity, and
/// energy that is no speech.
///
/// A signal of clicks only, whose envelope never reaches the threshold, is taken as active for 0.2
/// s (or for all of its length, if that is less). −infinity for a constant and for no samples.
double active_level_dbfs(std::span<const float> speech, int rate_hz);

/// 10^(gain_db / 20).
double gain_of_db(double gain_db);

/// Multiplies in place; each sample is rounded once.
void apply_gain(std::span<float> samples, double gain);

/// a + b, of one length.
std::vector<float> sum_of(std::span<const float> a, std::span<const float> b);

/// Largest magnitude; 0 for no samples.
float peak_of(std::span<const float> samples);

/// What speech and noise are multiplied by before they are added.
struct MixGains {
  double speech = 1;
  double noise = 1;
};

/// Gains with which speech of active level `speech_db` comes to `level_db` and noise of RMS level
/// `noise_db` to `snr_db` below it. Speech below kSilentSpeechDbfs has no level: it is left as it
/// is under noise of the level that it would have had. Noise below kSilentNoiseDbfs is left as it
/// is.
MixGains mix_gains(double speech_db, double noise_db, double level_db, double snr_db);

/// Scales both by the same gain if either exceeds `limit` in magnitude, so that their relation
/// stays. Returns the gain, 1 if nothing had to be done.
double limit_peak(std::span<float> noisy, std::span<float> clean, float limit = 0.99F);

}  // namespace limbeck
