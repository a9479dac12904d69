#include "metric/segmental_snr.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "limbeck/core/format.h"
#include "metric/signal_checks.h"
#include "metric/speech_frames.h"

namespace limbeck::metric {

void SegmentalSnrOptions::describe(config::Visitor& v) {
  v.value("minimum_db", minimum_db, "frames count as no worse than this");
  v.value("maximum_db", maximum_db, "frames count as no better than this");
  v.require(minimum_db < maximum_db, "minimum_db", "must lie below maximum_db");
}

double segmental_snr(std::span<const float> clean, std::span<const float> estimate, int rate_hz,
                     const SegmentalSnrOptions& options) {
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
    sum += std::clamp(10.0 * std::log10(ratio), options.minimum_db, options.maximum_db);
  }
  return sum / static_cast<double>(frames.count);
}

double segmental_snr(ScoredPair& pair, const SegmentalSnrOptions& options) {
  struct SegmentalSnr {
    double db;
  };
  const std::string range = shortest(options.minimum_db) + " to " + shortest(options.maximum_db);
  return pair
      .shared<SegmentalSnr>(
          [&] {
            return SegmentalSnr{
                segmental_snr(pair.clean(), pair.estimate(), pair.rate_hz(), options)};
          },
          range)
      .db;
}

void add_segmental_snr(MetricRegistry& registry) {
  registry.add<SegmentalSnrOptions>(
      "ssnr", "segmental signal-to-noise ratio", [](const SegmentalSnrOptions& options) {
        return std::make_unique<Metric>(
            Metric{.title = "SSNR (dB)",
                   .worst = options.minimum_db,
                   .version = 1,
                   .score = [options](ScoredPair& pair) { return segmental_snr(pair, options); }});
      });
}

}  // namespace limbeck::metric
