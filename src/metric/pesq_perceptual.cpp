// Spectra, loudness and frame disturbance of PESQ (03, 04 4.1 to 4.3).

#include "metric/pesq_perceptual.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace limbeck::metric::pesq {
namespace {

const BandKernels& kernels() { return LIMBECK_AT_LEVEL(bands, cpu_level()); }

}  // namespace

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
  multiply_samples(samples, window_.data(), spectrum_.data(), size);
  fft_.forward(spectrum_.data(), spectrum_.data(), scratch_.data());
  power_spectrum(spectrum_.data(), scratch_.data(), size);
  scratch_[0] = 0;  // DC does not count, the Nyquist bin is not part of any band
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
  threshold_[0] = std::numeric_limits<float>::infinity();
}

BandTables Listener::tables() const {
  return {threshold_.data(), inverse_threshold_.data(),
          exponent_.data(),  factor_.data(),
          width_.data(),     static_cast<std::int64_t>(band_count_)};
}

double Listener::audible_power(const BandRow& bands, float factor) const {
  return kernels().audible_power(tables(), bands.data(), factor);
}

FrameDisturbance Listener::disturbance(const BandRow& reference, const BandRow& degraded) const {
  const auto sums = kernels().disturbance(tables(), reference.data(), degraded.data());
  // Norms over the bands with p = 2 and p = 1 (04 4.2).
  return {static_cast<float>(std::sqrt(sums.squared / total_width_) * total_width_), sums.weighted};
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
