#include "limbeck/audio/mix.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

namespace limbeck {
namespace {

constexpr double kSilence = -std::numeric_limits<double>::infinity();

// Constants of P.56, table 1.
constexpr double kEnvelopeSeconds = 0.03;
constexpr double kHangoverSeconds = 0.2;
constexpr double kMarginDb = 15.9;

// A mean at or above this level is an offset, unless the rest is so much louder that it matters
// little: a short piece of rumble has a mean as well.
constexpr double kOffsetDbfs = -60;
constexpr double kOffsetBelowDb = 12;

/// Around the mean.
double energy(std::span<const float> samples, double mean) {
  double sum = 0;
  for (const float x : samples) sum += (x - mean) * (x - mean);
  return sum;
}

double decibels(double power) { return power > 0 ? 10 * std::log10(power) : kSilence; }

/// P.56's q: |x| through two exponential averages.
std::vector<double> envelope_of(std::span<const float> samples, double mean, int rate_hz) {
  const double keep = std::exp(-1 / (rate_hz * kEnvelopeSeconds));
  std::vector<double> envelope(samples.size());
  double once = 0;
  double twice = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    once = keep * once + (1 - keep) * std::abs(samples[i] - mean);
    twice = keep * twice + (1 - keep) * once;
    envelope[i] = twice;
  }
  return envelope;
}

/// Samples at which the envelope is at or above the threshold, or was within the hangover.
int64_t active_samples(const std::vector<double>& envelope, double threshold, int64_t hangover) {
  int64_t active = 0;
  int64_t left = 0;
  for (const double q : envelope) {
    if (q >= threshold) {
      left = hangover;
      ++active;
    } else if (left > 0) {
      --left;
      ++active;
    }
  }
  return active;
}

}  // namespace

double mean_of(std::span<const float> samples) {
  if (samples.empty()) return 0;
  const double first =
      samples.front();  // taken out first, so that a constant has no rounding error
  double sum = 0;
  for (const float x : samples) sum += x - first;
  return first + sum / static_cast<double>(samples.size());
}

double level_dbfs(std::span<const float> samples) {
  if (samples.empty()) return kSilence;
  return decibels(energy(samples, mean_of(samples)) / static_cast<double>(samples.size()));
}

bool is_silent(std::span<const float> samples) { return level_dbfs(samples) < kSilentNoiseDbfs; }

bool has_offset(std::span<const float> samples) {
  const double mean_dbfs = decibels(mean_of(samples) * mean_of(samples));
  return mean_dbfs >= kOffsetDbfs && mean_dbfs >= level_dbfs(samples) - kOffsetBelowDb;
}

double active_level_dbfs(std::span<const float> speech, int rate_hz) {
  const double mean = mean_of(speech);
  const double total = energy(speech, mean);
  if (total <= 0) return kSilence;
  const auto envelope = envelope_of(speech, mean, rate_hz);
  const auto hangover = static_cast<int64_t>(std::ceil(kHangoverSeconds * rate_hz));
  // Fewer active samples raise the level, that the threshold, and that leaves fewer active samples:
  // from "all are active" the search ends at the lowest threshold that fits its own level.
  auto active = static_cast<int64_t>(speech.size());
  for (;;) {
    const double power = total / static_cast<double>(active);
    const double threshold = std::sqrt(power) * gain_of_db(-kMarginDb);
    const int64_t next = active_samples(envelope, threshold, hangover);
    if (next == active) return decibels(power);
    if (next == 0) {
      const int64_t shortest = std::min(hangover, static_cast<int64_t>(speech.size()));
      return decibels(total / static_cast<double>(shortest));
    }
    active = next;
  }
}

double gain_of_db(double gain_db) { return std::pow(10.0, gain_db / 20); }

void apply_gain(std::span<float> samples, double gain) {
  for (float& x : samples) x = static_cast<float>(x * gain);
}

std::vector<float> sum_of(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) throw std::logic_error("sum_of: lengths differ");
  std::vector<float> sum(a.size());
  std::transform(a.begin(), a.end(), b.begin(), sum.begin(), std::plus<>());
  return sum;
}

float peak_of(std::span<const float> samples) {
  float largest = 0;
  for (const float x : samples) largest = std::max(largest, std::abs(x));
  return largest;
}

MixGains mix_gains(double speech_db, double noise_db, double level_db, double snr_db) {
  MixGains gains;
  if (speech_db >= kSilentSpeechDbfs) gains.speech = gain_of_db(level_db - speech_db);
  if (noise_db >= kSilentNoiseDbfs) gains.noise = gain_of_db(level_db - snr_db - noise_db);
  return gains;
}

double limit_peak(std::span<float> noisy, std::span<float> clean, float limit) {
  const float largest = std::max(peak_of(noisy), peak_of(clean));
  if (largest <= limit) return 1;
  const double gain = static_cast<double>(limit) / largest;
  apply_gain(noisy, gain);
  apply_gain(clean, gain);
  return gain;
}

}  // namespace limbeck
