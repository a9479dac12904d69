// Spectra, loudness and frame disturbance of PESQ (03, 04 4.1 to 4.3).

#include "metric/pesq_perceptual.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "metric/fast_math.h"

namespace limbeck::metric::pesq {

PitchPower::PitchPower(const RateConstants& constants)
    : constants_(constants),
      fft_(shared_real_fft(static_cast<std::size_t>(constants.frame))),
      window_(fft_.size()),
      spectrum_(fft_.size()),
      scratch_(fft_.size()) {
  for (std::size_t n = 0; n < window_.size(); ++n) {
    const double phase =
        2.0 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(window_.size());
    window_[n] = static_cast<float>(0.5 * (1.0 - std::cos(phase)));
  }
}

void PitchPower::compute(const float* samples, BandRow& bands) {
  const std::size_t size = fft_.size();
  for (std::size_t n = 0; n < size; ++n) spectrum_[n] = samples[n] * window_[n];
  fft_.forward(spectrum_.data(), spectrum_.data(), scratch_.data());
  spectrum_[0] = 0;  // DC does not count, the Nyquist bin is not part of any band
  spectrum_[1] = 0;
  for (std::size_t k = 0; k < size / 2; ++k) {
    scratch_[k] = spectrum_[2 * k] * spectrum_[2 * k] + spectrum_[2 * k + 1] * spectrum_[2 * k + 1];
  }
  const float* power = scratch_.data();
  bands.fill(0.0f);
  for (std::size_t b = 0; b < constants_.bands.size(); ++b) {
    const BarkBand& band = constants_.bands[b];
    double sum = 0;
    for (int k = 0; k < band.bins; ++k) sum += power[k];
    power += band.bins;
    bands[b] = static_cast<float>(sum * band.correction * constants_.power_scale);
  }
}

Listener::Listener(const RateConstants& constants) : band_count_(constants.bands.size()) {
  threshold_.fill(1.0f);
  inverse_threshold_.fill(1.0f);
  exponent_.fill(1.0f);
  for (std::size_t b = 0; b < band_count_; ++b) {
    const BarkBand& band = constants.bands[b];
    double h = band.centre_bark < 4.0f ? 6.0 / (band.centre_bark + 2.0) : 1.0;
    h = std::pow(std::min(h, 2.0), 0.15);
    const double exponent = 0.23 * h;
    threshold_[b] = band.threshold;
    inverse_threshold_[b] = static_cast<float>(1.0 / band.threshold);
    exponent_[b] = static_cast<float>(exponent);
    factor_[b] = static_cast<float>(kLoudnessScale * std::pow(band.threshold / 0.5, exponent));
    if (b > 0) {
      width_[b] = band.width_bark;
      total_width_ += band.width_bark;
    }
  }
}

double Listener::audible_power(const BandRow& bands, float factor) const {
  double sum = 0;
  for (std::size_t b = 1; b < band_count_; ++b) {
    if (bands[b] > factor * threshold_[b]) sum += bands[b];
  }
  return sum;
}

void Listener::loudness(const BandRow& bands, BandRow& result) const {
  for (std::size_t b = 0; b < kBandStride; ++b) {
    const float ratio = 0.5f + 0.5f * bands[b] * inverse_threshold_[b];
    const float value = factor_[b] * (fast_pow(ratio, exponent_[b]) - 1.0f);
    result[b] = bands[b] > threshold_[b] ? value : 0.0f;
  }
}

FrameDisturbance Listener::disturbance(const BandRow& reference, const BandRow& degraded) const {
  BandRow reference_loudness;
  BandRow degraded_loudness;
  loudness(reference, reference_loudness);
  loudness(degraded, degraded_loudness);
  BandRow squared;
  BandRow weighted;
  for (std::size_t b = 0; b < kBandStride; ++b) {
    const float difference = degraded_loudness[b] - reference_loudness[b];
    const float smaller =
        degraded_loudness[b] < reference_loudness[b] ? degraded_loudness[b] : reference_loudness[b];
    // Dead zone of a quarter of the smaller loudness (04 4.1); only the size matters from here.
    const float magnitude = std::abs(difference) - 0.25f * smaller;
    const float d = (magnitude > 0.0f ? magnitude : 0.0f) * width_[b];
    squared[b] = d * d;
    // What was added disturbs more than what is missing (04 4.3).
    float asymmetry = fast_pow((degraded[b] + 50.0f) / (reference[b] + 50.0f), 1.2f);
    asymmetry = asymmetry > 12.0f ? 12.0f : asymmetry;
    asymmetry = asymmetry < 3.0f ? 0.0f : asymmetry;
    weighted[b] = d * asymmetry;
  }
  double squared_sum = 0;
  double weighted_sum = 0;
  for (std::size_t b = 1; b < band_count_; ++b) {
    squared_sum += squared[b];
    weighted_sum += weighted[b];
  }
  // Norms over the bands with p = 2 and p = 1 (04 4.2).
  return {static_cast<float>(std::sqrt(squared_sum / total_width_) * total_width_),
          static_cast<float>(weighted_sum)};
}

void LocalGain::apply(const Listener& listener, double reference_power, bool first_frame,
                      BandRow& degraded) {
  const double degraded_power = listener.audible_power(degraded, 1.0f);
  auto scale = static_cast<float>((reference_power + 5e3) / (degraded_power + 5e3));
  if (!first_frame) scale = 0.2f * previous_ + 0.8f * scale;
  previous_ = scale;
  scale = std::clamp(scale, 3e-4f, 5.0f);
  for (float& power : degraded) power *= scale;
}

int delay_at(std::span<const Utterance> utterances, int position, int window) {
  for (std::size_t u = utterances.size(); u-- > 0;) {
    if (utterances[u].start * window <= position) return utterances[u].delay;
  }
  return utterances.front().delay;
}

}  // namespace limbeck::metric::pesq
