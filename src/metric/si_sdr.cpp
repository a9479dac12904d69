#include "metric/si_sdr.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "limbeck/metric/metric.h"
#include "metric/signal_checks.h"

namespace limbeck::metric {
namespace {

struct SiSdrOptions : config::Component<SiSdrOptions> {
  bool zero_mean = false;

  void describe(config::Visitor& v) override {
    v.value("zero_mean", zero_mean, "take the mean out of each signal first");
  }
};

/// What is taken out of a signal before it is compared.
struct Means {
  double clean = 0;
  double estimate = 0;
};

double mean_of(std::span<const float> signal) {
  return std::accumulate(signal.begin(), signal.end(), 0.0) / static_cast<double>(signal.size());
}

struct Products {
  double clean_clean = 0;
  double clean_estimate = 0;
};

Products inner_products(std::span<const float> clean, std::span<const float> estimate,
                        const Means& means) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> cc{};
  std::array<double, kLanes> ce{};
  std::size_t i = 0;
  for (; i + kLanes <= clean.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double c = clean[i + lane] - means.clean;
      cc[lane] += c * c;
      ce[lane] += c * (estimate[i + lane] - means.estimate);
    }
  }
  Products result;
  for (; i < clean.size(); ++i) {
    const double c = clean[i] - means.clean;
    result.clean_clean += c * c;
    result.clean_estimate += c * (estimate[i] - means.estimate);
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    result.clean_clean += cc[lane];
    result.clean_estimate += ce[lane];
  }
  return result;
}

}  // namespace

double si_sdr(std::span<const float> clean, std::span<const float> estimate, bool zero_mean) {
  require_equal_length(clean, estimate, "SI-SDR");
  require_finite(clean, estimate, "SI-SDR");
  require_not_silent(clean, "SI-SDR", "clean");
  require_not_silent(estimate, "SI-SDR", "estimated");
  Means means;
  if (zero_mean) {
    require_sound(clean, "SI-SDR", "clean");
    require_sound(estimate, "SI-SDR", "estimated");
    means = {mean_of(clean), mean_of(estimate)};
  }
  const Products products = inner_products(clean, estimate, means);
  const double scale = products.clean_estimate / products.clean_clean;
  // Summed directly: the difference of two energies would lose the small distortions.
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const double distortion = (estimate[i] - means.estimate) - scale * (clean[i] - means.clean);
    lanes[i % kLanes] += distortion * distortion;
  }
  double distortion_energy = 0;
  for (const double lane : lanes) distortion_energy += lane;
  const double target_energy = scale * scale * products.clean_clean;
  const double rounding =
      std::numeric_limits<double>::epsilon() * (target_energy + distortion_energy);
  return 10.0 * std::log10((target_energy + rounding) / (distortion_energy + rounding));
}

void add_si_sdr(MetricRegistry& registry) {
  registry.add<SiSdrOptions>(
      "si_sdr", "scale-invariant signal-to-distortion ratio", [](const SiSdrOptions& options) {
        return std::make_unique<Metric>(
            Metric{.title = "SI-SDR (dB)",
                   .worst = 10 * std::log10(std::numeric_limits<double>::epsilon()),
                   .version = 1,
                   .score = [zero_mean = options.zero_mean](ScoredPair& pair) {
                     return si_sdr(pair.clean(), pair.estimate(), zero_mean);
                   }});
      });
}

}  // namespace limbeck::metric
