#include "limbeck/audio/reverb.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <stdexcept>

#include "limbeck/audio/complex_fft.h"

namespace limbeck {
namespace {

constexpr double kSpeechSteps = 0x1p19;
constexpr double kResponseSteps = 0x1p15;

size_t direct_path_of(std::span<const float> response) {
  const auto direct = std::max_element(response.begin(), response.end(),
                                       [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (direct == response.end() || *direct == 0) {
    throw std::logic_error("put_in_room: the impulse response is silent");
  }
  return static_cast<size_t>(direct - response.begin());
}

float whole_steps(double value, double size) {
  return static_cast<float>(std::nearbyint(value / size) / (kSpeechSteps * kResponseSteps));
}

}  // namespace

RoomSpeech put_in_room(std::span<const float> speech, std::span<const float> response,
                       int64_t early_samples) {
  const size_t direct = direct_path_of(response);
  const size_t early_end = direct + static_cast<size_t>(std::max<int64_t>(early_samples, 0)) + 1;
  const size_t used = std::min(response.size(), direct + speech.size());
  const double peak = std::abs(response[direct]);
  const ComplexFft& fft =
      shared_complex_fft(std::bit_ceil(std::max<size_t>(speech.size() + used, 2)));

  std::vector<std::complex<double>> x(fft.size());
  for (size_t i = 0; i < speech.size(); ++i) x[i] = std::nearbyint(speech[i] * kSpeechSteps);
  // Both responses in one transform: speech is real, so the product's real part inverts to the one
  // convolution and its imaginary part to the other.
  std::vector<std::complex<double>> h(fft.size());
  for (size_t i = 0; i < used; ++i) {
    const double step = std::nearbyint(response[i] / peak * kResponseSteps);
    h[i] = {step, i < early_end ? step : 0};
  }
  fft.forward(x);
  fft.forward(h);
  for (size_t i = 0; i < x.size(); ++i) {
    const double re = x[i].real() * h[i].real() - x[i].imag() * h[i].imag();
    const double im = x[i].real() * h[i].imag() + x[i].imag() * h[i].real();
    x[i] = {re, im};
  }
  fft.inverse(x);

  RoomSpeech room{std::vector<float>(speech.size()), std::vector<float>(speech.size())};
  const auto size = static_cast<double>(fft.size());
  for (size_t i = 0; i < speech.size(); ++i) {
    room.full[i] = whole_steps(x[i + direct].real(), size);
    room.early[i] = whole_steps(x[i + direct].imag(), size);
  }
  return room;
}

}  // namespace limbeck
