#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

namespace limbeck::metric::pesq {

/// Arrays of `size` values have a multiple of 16 of them.
struct AlignmentKernels {
  /// values = |values|; returns the largest.
  float (*magnitudes)(float* values, int64_t size);
  /// Adds `weight` to the histogram where a value is above `level`; returns how often.
  int64_t (*count_above)(const float* values, float level, float weight, float* histogram,
                         int64_t size);
  /// The first index from `from` on whose value is above `level`, `size` if there is none.
  int64_t (*find_above)(const float* values, float level, int64_t from, int64_t size);
  /// out[i] = Σ_k weights[k] · values[i + k]
  void (*smooth)(const float* values, const float* weights, int64_t count, float* out,
                 int64_t size);
  /// Sum and number of what is at most `threshold`, in any number of values.
  struct Below {
    double sum;
    int64_t count;
  };
  Below (*sum_below)(const float* values, float threshold, int64_t size);
  /// Σ (value − mean)² of what is at most `threshold`, in any number of values.
  double (*deviation_below)(const float* values, float threshold, double mean, int64_t size);
  /// Σ value², `size` being a multiple of 16.
  double (*sum_of_squares)(const float* values, int64_t size);
};

LIMBECK_OF_LEVELS(AlignmentKernels, alignment)

#ifndef LIMBECK_LEVEL
inline const AlignmentKernels& alignment_kernels() {
  return LIMBECK_AT_LEVEL(alignment, cpu_level());
}
#endif

}  // namespace limbeck::metric::pesq
