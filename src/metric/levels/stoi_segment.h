#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

namespace limbeck::metric {

inline constexpr int kStoiBands = 15;
inline constexpr int kStoiStride = 16;   // a frame's bands in memory, the last number being 0
inline constexpr int kStoiSegment = 30;  // frames, N of eq. (3): 384 ms

struct SegmentSums {
  double stoi;   // of the correlations of all bands
  double estoi;  // of those of all frames
};

struct StoiKernels {
  /// Of 384 ms of both signals' magnitudes, [frame][band].
  SegmentSums (*correlate)(const float* clean, const float* estimate);
};

LIMBECK_OF_LEVELS(StoiKernels, stoi)

#ifndef LIMBECK_LEVEL
inline const StoiKernels& stoi_kernels() { return LIMBECK_AT_LEVEL(stoi, cpu_level()); }
#endif

}  // namespace limbeck::metric
