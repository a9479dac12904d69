#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

namespace limbeck::metric {

/// Second-order section, direct form II (PESQ, 02 2.7).
struct Biquad {
  float b0, b1, b2, a1, a2;
};

/// Coefficients of a polyphase filter by OctaveResampler's rules.
struct Polyphase {
  const float* taps;  // [up][count]
  const int* first;   // [up], of each phase the input sample under its first tap
  int64_t up, down;
  int64_t count;  // a multiple of 16
};

struct FilterKernels {
  /// Runs four signals of `samples` samples through 8 or 12 sections, in place.
  void (*cascade)(const Biquad* sections, int64_t count, float* const* signals, int64_t samples);
  /// out[m] = Σ taps · in from sample m / up · down + first on; `in` reaches far enough both ways.
  void (*resample)(const Polyphase& filter, const float* in, float* out, int64_t size);
};

LIMBECK_OF_LEVELS(FilterKernels, filters)

#ifndef LIMBECK_LEVEL
inline const FilterKernels& filter_kernels() { return LIMBECK_AT_LEVEL(filters, cpu_level()); }
#endif

}  // namespace limbeck::metric
