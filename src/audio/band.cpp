#include "limbeck/audio/band.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <stdexcept>

#include "limbeck/audio/complex_fft.h"

namespace limbeck {
namespace {

constexpr double kEdgeHz = 50;
constexpr double kRingingSeconds = 0.1;  // an edge of 50 Hz rings for some 40 ms

/// 0 well below `edge_hz`, 1 well above.
double rise(double hz, double edge_hz) {
  const double x = std::clamp((hz - edge_hz) / kEdgeHz + 0.5, 0.0, 1.0);
  return 0.5 - 0.5 * std::cos(std::numbers::pi * x);
}

double gain_at(double hz, int rate_hz, Band band) {
  const double above_low = band.low_hz <= 0 ? 1 : rise(hz, band.low_hz);
  const double above_high = band.high_hz >= 0.5 * rate_hz ? 0 : rise(hz, band.high_hz);
  return 1 - above_low + above_high;
}

}  // namespace

Band mel_band(double low, double high, int rate_hz) {
  const double top = std::log10(1 + 0.5 * rate_hz / 700);
  const auto hz = [&](double place) { return 700 * (std::pow(10, place * top) - 1); };
  return {hz(low), high >= 1 ? 0.5 * rate_hz : hz(high)};
}

void remove_band(std::span<float> a, std::span<float> b, int rate_hz, Band band) {
  if (a.size() != b.size()) throw std::logic_error("remove_band: lengths differ");
  if (a.empty() || band.high_hz <= band.low_hz) return;
  const auto ringing = static_cast<size_t>(kRingingSeconds * rate_hz);
  const ComplexFft& fft = shared_complex_fft(std::bit_ceil(a.size() + ringing));
  // The filter is real and even in frequency, so it leaves the two signals apart.
  std::vector<std::complex<double>> both(fft.size());
  for (size_t i = 0; i < a.size(); ++i) both[i] = {a[i], b[i]};
  fft.forward(both);
  const auto size = static_cast<double>(fft.size());
  for (size_t k = 0; k <= fft.size() / 2; ++k) {
    const double gain = gain_at(static_cast<double>(k) * rate_hz / size, rate_hz, band) / size;
    both[k] *= gain;
    if (k > 0 && k < fft.size() / 2) both[fft.size() - k] *= gain;
  }
  fft.inverse(both);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(both[i].real());
    b[i] = static_cast<float>(both[i].imag());
  }
}

}  // namespace limbeck
