#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/metric/metric.h"

namespace limbeck {

double si_sdr(std::span<const float> clean, std::span<const float> estimate, int) {
  if (clean.size() != estimate.size()) {
    throw DataError(
        format("si_sdr: %zu clean samples, but %zu estimated", clean.size(), estimate.size()));
  }
  double cross = 0;
  double clean_energy = 0;
  double estimate_energy = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    const double s = clean[i];
    const double e = estimate[i];
    cross += s * e;
    clean_energy += s * s;
    estimate_energy += e * e;
  }
  if (!std::isfinite(clean_energy) || !std::isfinite(estimate_energy)) {
    throw DataError("si_sdr: a sample is not finite");
  }
  if (clean_energy == 0) throw DataError("si_sdr: the clean signal is silent");
  if (estimate_energy == 0) throw DataError("si_sdr: the estimate is silent");
  // The distortion is summed sample by sample: as a difference of energies it would lose its digits
  // where the estimate is good.
  const double scale = cross / clean_energy;
  double distortion_energy = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    const double difference = estimate[i] - scale * clean[i];
    distortion_energy += difference * difference;
  }
  return 10 * std::log10(scale * scale * clean_energy / distortion_energy);
}

}  // namespace limbeck
