#include "enhance/top_band.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace limbeck {
namespace {

constexpr double kWindowSeconds = 0.016;
/// Weights of neighbouring windows, around the one that the gain is for.
constexpr std::array<double, 5> kSmoothing = {1. / 9, 2. / 9, 3. / 9, 2. / 9, 1. / 9};
/// What the rounding to 16 bits puts into the band (−105 dBFS, dithered) is nothing to follow: far
/// below this energy of a sample the gain is 1.
constexpr double kFloor = 1e-10;

}  // namespace

TopBandGain::TopBandGain(int network_hz, double band_end_hz, int rate_hz, int channels, bool link)
    : network_hz_(network_hz),
      rate_hz_(rate_hz),
      channels_(channels),
      gains_a_frame_(link ? 1 : channels),
      fft_(shared_real_fft(fft_size_for(static_cast<size_t>(kWindowSeconds * network_hz)))),
      window_(static_cast<int64_t>(fft_.size())),
      hop_(window_ / 2),
      hann_(fft_.size()),
      frame_(fft_.size()),
      scratch_(fft_.size()) {
  for (int64_t i = 0; i < window_; ++i) {
    const double turn = static_cast<double>(i) / static_cast<double>(window_);
    hann_[static_cast<size_t>(i)] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn));
  }
  const double bin_hz = static_cast<double>(network_hz) / static_cast<double>(window_);
  last_bin_ = std::clamp<int64_t>(std::lround(band_end_hz / bin_hz), 2, hop_) - 1;
  first_bin_ = std::clamp<int64_t>(std::lround(0.875 * band_end_hz / bin_hz), 1, last_bin_);
  reset();
}

void TopBandGain::reset() {
  // The first window lies around the first sample.
  before_.assign(static_cast<size_t>(hop_ * channels_), 0);
  after_ = before_;
  // So do the windows of the first gain.
  energies_.assign(kSmoothing.size() / 2 * static_cast<size_t>(gains_a_frame_), {});
  gains_.clear();
  first_frame_ = 0;
  position_ = 0;
}

void TopBandGain::add(std::span<const float> before, std::span<const float> after) {
  before_.insert(before_.end(), before.begin(), before.end());
  after_.insert(after_.end(), after.begin(), after.end());
  const auto used = static_cast<std::ptrdiff_t>(hop_ * channels_);
  while (static_cast<int64_t>(before_.size()) >= window_ * channels_) {
    measure();
    before_.erase(before_.begin(), before_.begin() + used);
    after_.erase(after_.begin(), after_.begin() + used);
  }
}

void TopBandGain::finish() {
  // For a window behind the last sample, and those that its gain is averaged over.
  const int64_t frames = 2 + static_cast<int64_t>(kSmoothing.size() / 2);
  const std::vector<float> silence(static_cast<size_t>(frames * hop_ * channels_));
  add(silence, silence);
}

/// Of the first window of what is there.
void TopBandGain::measure() {
  std::vector<Energies> frame(static_cast<size_t>(gains_a_frame_));
  for (int64_t c = 0; c < channels_; ++c) {
    Energies& sum = frame[static_cast<size_t>(gains_a_frame_ == 1 ? 0 : c)];
    sum.before += energy(before_, c);
    sum.after += energy(after_, c);
  }
  energies_.insert(energies_.end(), frame.begin(), frame.end());
  if (energies_.size() == kSmoothing.size() * frame.size()) smooth();
}

/// Mean square of the band of one channel.
double TopBandGain::energy(const std::vector<float>& samples, int64_t channel) {
  for (int64_t i = 0; i < window_; ++i) {
    frame_[static_cast<size_t>(i)] =
        hann_[static_cast<size_t>(i)] * samples[static_cast<size_t>(i * channels_ + channel)];
  }
  fft_.forward(frame_.data(), frame_.data(), scratch_.data());
  double sum = 0;
  for (int64_t bin = first_bin_; bin <= last_bin_; ++bin) {
    const double real = frame_[static_cast<size_t>(2 * bin)];
    const double imaginary = frame_[static_cast<size_t>(2 * bin + 1)];
    sum += real * real + imaginary * imaginary;
  }
  // Both halves of the spectrum; the mean of the window's squares is 3/8.
  return 2 * sum / (0.375 * static_cast<double>(window_) * static_cast<double>(window_));
}

void TopBandGain::smooth() {
  const auto gains = static_cast<size_t>(gains_a_frame_);
  for (size_t i = 0; i < gains; ++i) {
    Energies mean;
    for (size_t k = 0; k < kSmoothing.size(); ++k) {
      mean.before += kSmoothing[k] * energies_[k * gains + i].before;
      mean.after += kSmoothing[k] * energies_[k * gains + i].after;
    }
    gains_.push_back(std::min(1.0, std::sqrt((mean.after + kFloor) / (mean.before + kFloor))));
  }
  energies_.erase(energies_.begin(), energies_.begin() + static_cast<std::ptrdiff_t>(gains));
}

int64_t TopBandGain::known() const {
  // Between two known gains: before the last one, which stands at its frame · hop_ / network_hz_.
  const int64_t frames = first_frame_ + static_cast<int64_t>(gains_.size()) / gains_a_frame_;
  if (frames == 0) return 0;
  return ((frames - 1) * hop_ * rate_hz_ + network_hz_ - 1) / network_hz_ - position_;
}

void TopBandGain::apply(std::span<float> samples) {
  const int64_t step = hop_ * rate_hz_;  // from frame to frame, in parts of 1 / network_hz_
  const auto count = static_cast<int64_t>(samples.size()) / channels_;
  for (int64_t n = 0; n < count; ++n) {
    const int64_t at = (position_ + n) * network_hz_;
    const double share = static_cast<double>(at % step) / static_cast<double>(step);
    const double* gain = gains_.data() + (at / step - first_frame_) * gains_a_frame_;
    for (int64_t c = 0; c < channels_; ++c) {
      const double* g = gain + (gains_a_frame_ == 1 ? 0 : c);
      samples[static_cast<size_t>(n * channels_ + c)] *=
          static_cast<float>(g[0] + share * (g[gains_a_frame_] - g[0]));
    }
  }
  position_ += count;
  const int64_t past = position_ * network_hz_ / step - first_frame_;
  gains_.erase(gains_.begin(), gains_.begin() + past * gains_a_frame_);
  first_frame_ += past;
}

}  // namespace limbeck
