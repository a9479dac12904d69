#include "limbeck/audio/mix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace limbeck {
namespace {

constexpr double kSilence = -std::numeric_limits<double>::infinity();
constexpr double kFrameSeconds = 0.032;
constexpr double kStartMargin = 1e-4;      // 40 dB below the loudest frame
constexpr double kMargin = 0.02570395783;  // 15.9 dB below the active level (P.56)

struct Frame {
  double energy;
  int64_t samples;
  double power() const { return energy / static_cast<double>(samples); }
};

double energy(std::span<const float> samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return sum;
}

double decibels(double power) { return power > 0 ? 10 * std::log10(power) : kSilence; }

std::vector<Frame> frames_of(std::span<const float> samples, int rate_hz) {
  const auto length = static_cast<size_t>(std::max(1.0, std::round(kFrameSeconds * rate_hz)));
  std::vector<Frame> frames;
  for (size_t at = 0; at < samples.size(); at += length) {
    const auto frame = samples.subspan(at, std::min(length, samples.size() - at));
    frames.push_back({energy(frame), static_cast<int64_t>(frame.size())});
  }
  return frames;
}

/// Mean power of the frames at or above `threshold`.
double mean_power(const std::vector<Frame>& frames, double threshold) {
  double sum = 0;
  int64_t samples = 0;
  for (const Frame& frame : frames) {
    if (frame.power() < threshold) continue;
    sum += frame.energy;
    samples += frame.samples;
  }
  return samples > 0 ? sum / static_cast<double>(samples) : 0;
}

float peak(std::span<const float> samples) {
  float largest = 0;
  for (const float x : samples) largest = std::max(largest, std::abs(x));
  return largest;
}

}  // namespace

double level_dbfs(std::span<const float> samples) {
  return samples.empty() ? kSilence
                         : decibels(energy(samples) / static_cast<double>(samples.size()));
}

double active_level_dbfs(std::span<const float> speech, int rate_hz) {
  const std::vector<Frame> frames = frames_of(speech, rate_hz);
  double loudest = 0;
  for (const Frame& frame : frames) loudest = std::max(loudest, frame.power());
  if (loudest <= 0) return kSilence;
  // Every pass drops frames below the mean, so the mean rises and the set only shrinks: it ends.
  double power = mean_power(frames, loudest * kStartMargin);
  for (;;) {
    const double next = mean_power(frames, std::max(power * kMargin, loudest * kStartMargin));
    if (next <= power) return decibels(power);
    power = next;
  }
}

double gain_of_db(double gain_db) { return std::pow(10.0, gain_db / 20); }

void apply_gain(std::span<float> samples, double gain) {
  for (float& x : samples) x = static_cast<float>(x * gain);
}

std::vector<float> mix_at_snr(std::span<const float> clean, std::span<const float> noise,
                              int rate_hz, double snr_db) {
  if (clean.size() != noise.size()) throw std::logic_error("mix_at_snr: lengths differ");
  const double speech_db = active_level_dbfs(clean, rate_hz);
  const double noise_db = level_dbfs(noise);
  const bool has_snr = speech_db >= kSilentSpeechDbfs && noise_db >= kSilentNoiseDbfs;
  const double gain = has_snr ? gain_of_db(speech_db - snr_db - noise_db) : 1;
  std::vector<float> noisy(clean.size());
  for (size_t i = 0; i < noisy.size(); ++i) {
    noisy[i] = static_cast<float>(clean[i] + gain * noise[i]);
  }
  return noisy;
}

double limit_peak(std::span<float> noisy, std::span<float> clean, float limit) {
  const float largest = std::max(peak(noisy), peak(clean));
  if (largest <= limit) return 1;
  const double gain = static_cast<double>(limit) / largest;
  apply_gain(noisy, gain);
  apply_gain(clean, gain);
  return gain;
}

}  // namespace limbeck
