#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

namespace limbeck::metric::pesq {

/// What the listener knows of each band; all arrays are as long as a row of bands.
struct BandTables {
  const float* threshold;  // infinite where a band does not count
  const float* inverse_threshold;
  const float* exponent;
  const float* factor;
  const float* width;  // 0 where a band does not count
  int64_t count;       // bands, up to a multiple of 16
};

struct DisturbanceSums {
  float squared, weighted;
};

/// Rows of bands are readable and zero up to `count`.
struct BandKernels {
  /// Sums of squared and of weighted disturbances over the bands (04 4.1 to 4.3).
  DisturbanceSums (*disturbance)(const BandTables& tables, const float* reference,
                                 const float* degraded);
  /// Power of the bands that exceed `factor` times their threshold.
  float (*audible_power)(const BandTables& tables, const float* bands, float factor);
};

LIMBECK_OF_LEVELS(BandKernels, bands)

}  // namespace limbeck::metric::pesq
