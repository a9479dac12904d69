#include "limbeck/audio/spectrogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "limbeck/audio/complex_fft.h"

namespace limbeck {
namespace {

constexpr double kWindowSeconds = 0.032;
constexpr double kHopSeconds = 0.005;
constexpr int64_t kMostColumns = 1600;

constexpr std::array<Colour, 9> kMagma = {{{0, 0, 4},
                                           {29, 17, 71},
                                           {81, 18, 124},
                                           {130, 38, 129},
                                           {182, 54, 121},
                                           {230, 81, 100},
                                           {251, 136, 97},
                                           {254, 194, 135},
                                           {252, 253, 191}}};

std::vector<double> hann(size_t size) {
  std::vector<double> window(size);
  for (size_t i = 0; i < size; ++i) {
    const double turn = (static_cast<double>(i) + 0.5) / static_cast<double>(size);
    window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn);
  }
  return window;
}

}  // namespace

Colour magma(double value) {
  const double place = std::clamp(value, 0.0, 1.0) * static_cast<double>(kMagma.size() - 1);
  const size_t below = std::min(static_cast<size_t>(place), kMagma.size() - 2);
  const double share = place - static_cast<double>(below);
  Colour colour{};
  for (size_t i = 0; i < 3; ++i) {
    colour[i] = static_cast<uint8_t>(
        std::lround((1 - share) * kMagma[below][i] + share * kMagma[below + 1][i]));
  }
  return colour;
}

Picture spectrogram(std::span<const float> samples, int rate_hz) {
  const auto count = static_cast<int64_t>(samples.size());
  const size_t size = std::bit_ceil(static_cast<size_t>(kWindowSeconds * rate_hz * 0.75));
  const auto usual_hop = static_cast<int64_t>(std::lround(kHopSeconds * rate_hz));
  const int64_t hop = std::max(usual_hop, (count - 1) / kMostColumns + 1);
  const std::vector<double> window = hann(size);
  const double full_scale = 0.25 * static_cast<double>(size);  // of a sine's line: half the sum
  const ComplexFft& fft = shared_complex_fft(size);

  Picture picture;
  picture.width = std::max<int64_t>(1, (count + hop - 1) / hop);
  picture.height = static_cast<int64_t>(size / 2);
  picture.rgb.resize(static_cast<size_t>(3 * picture.width * picture.height));
  std::vector<std::complex<double>> frame(size);
  for (int64_t column = 0; column < picture.width; ++column) {
    const int64_t first = column * hop + hop / 2 - static_cast<int64_t>(size / 2);
    for (size_t i = 0; i < size; ++i) {
      const int64_t at = first + static_cast<int64_t>(i);
      frame[i] = at >= 0 && at < count ? window[i] * samples[static_cast<size_t>(at)] : 0;
    }
    fft.forward(frame);
    for (int64_t row = 0; row < picture.height; ++row) {
      const auto bin = static_cast<size_t>(picture.height - 1 - row);
      const double db = 20 * std::log10(std::abs(frame[bin]) / full_scale + 1e-12);
      const Colour colour = magma((db - kDarkestDb) / (kLightestDb - kDarkestDb));
      std::copy(colour.begin(), colour.end(),
                picture.rgb.begin() + 3 * (row * picture.width + column));
    }
  }
  return picture;
}

}  // namespace limbeck
