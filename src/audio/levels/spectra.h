#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

namespace limbeck {

/// Over `size` floats of spectra in the layout of RealFft, a multiple of 32; `out` may be an input.
struct SpectrumKernels {
  /// conj(a) · b
  void (*multiply_conjugate)(const float* a, const float* b, float* out, int64_t size);
  /// a · b
  void (*multiply_plain)(const float* a, const float* b, float* out, int64_t size);
  /// size / 2 powers |X|²; the first is that of DC.
  void (*powers)(const float* spectrum, float* out, int64_t size);
  /// a · b, of samples
  void (*multiply_samples)(const float* a, const float* b, float* out, int64_t size);
};

LIMBECK_OF_LEVELS(SpectrumKernels, spectra)

}  // namespace limbeck
