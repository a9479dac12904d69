#include "metric/segmental_snr.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "metric/signal_checks.h"
#include "metric/speech_frames.h"

namespace limbeck::metric {

double segmental_snr(std::span<const float> clean, std::span<const float> estimate, int rate_hz) {
  require_equal_length(clean, estimate, "segmental SNR");
  require_finite(clean, estimate, "segmental SNR");
  require_not_silent(clean, "segmental SNR", "clean");
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const SpeechFrames frames(clean.size(), rate_hz, "segmental SNR");
  double sum = 0;
  for (std::size_t frame = 0; frame < frames.count; ++frame) {
    const std::size_t start = frame * frames.hop;
    std::array<double, 4> signal{};
    std::array<double, 4> noise{};
    for (std::size_t n = 0; n < frames.length; ++n) {
      const double x = clean[start + n] * frames.window[n];
      const double d = x - estimate[start + n] * frames.window[n];
      signal[n % 4] += x * x;
      noise[n % 4] += d * d;
    }
    const double signal_energy = signal[0] + signal[1] + signal[2] + signal[3];
    const double noise_energy = noise[0] + noise[1] + noise[2] + noise[3];
    const double ratio = signal_energy / (noise_energy + kEpsilon) + kEpsilon;
    sum += std::clamp(10.0 * std::log10(ratio), -10.0, 35.0);
  }
  return sum / static_cast<double>(frames.count);
}

}  // namespace limbeck::metric
