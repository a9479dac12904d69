#include "metric/si_sdr.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "metric/signal_checks.h"

namespace limbeck::metric {
namespace {

struct Products {
  double clean_clean = 0;
  double clean_estimate = 0;
};

Products inner_products(std::span<const float> clean, std::span<const float> estimate) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> cc{};
  std::array<double, kLanes> ce{};
  std::size_t i = 0;
  for (; i + kLanes <= clean.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double c = clean[i + lane];
      cc[lane] += c * c;
      ce[lane] += c * estimate[i + lane];
    }
  }
  Products result;
  for (; i < clean.size(); ++i) {
    const double c = clean[i];
    result.clean_clean += c * c;
    result.clean_estimate += c * estimate[i];
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    result.clean_clean += cc[lane];
    result.clean_estimate += ce[lane];
  }
  return result;
}

}  // namespace

double si_sdr(std::span<const float> clean, std::span<const float> estimate) {
  require_equal_length(clean, estimate, "SI-SDR");
  require_finite(clean, estimate, "SI-SDR");
  require_not_silent(clean, "SI-SDR", "clean");
  require_not_silent(estimate, "SI-SDR", "estimated");
  const Products products = inner_products(clean, estimate);
  const double scale = products.clean_estimate / products.clean_clean;
  // Summed directly: the difference of two energies would lose the small distortions.
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const double distortion = estimate[i] - scale * clean[i];
    lanes[i % kLanes] += distortion * distortion;
  }
  double distortion_energy = 0;
  for (const double lane : lanes) distortion_energy += lane;
  const double target_energy = scale * scale * products.clean_clean;
  const double rounding =
      std::numeric_limits<double>::epsilon() * (target_energy + distortion_energy);
  return 10.0 * std::log10((target_energy + rounding) / (distortion_energy + rounding));
}

}  // namespace limbeck::metric
