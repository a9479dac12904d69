#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

// Inner loops of batch norm with the activation after it, compiled for each CpuLevel.

namespace limbeck::nn {

/// What a kernel does behind a norm.
enum class Activate { none, relu6, prelu, silu };

/// Numbers of each channel, repeated until a row of them is long enough for wide registers: number
/// i of a tile belongs to number i of a stretch.
struct NormTiles {
  const float *mean, *scale, *shift;  // z = x · scale + shift
  const float* slope;                 // of Activate::prelu
  const float *factor, *offset;       // of the gradient
};

/// All over the first `n` numbers of a stretch, n at most a tile.
struct NormKernels {
  /// sum += x − centre, square += (x − centre)²
  void (*add_moments)(const float* x, const float* centre, float* sum, float* square, int64_t n);
  /// y = activation of z
  void (*forward)(Activate activate, const float* x, const NormTiles& tiles, float* y, int64_t n);
  /// With g the gradient at z: grad += g, grad_x += g · (x − mean), and for Activate::prelu
  /// slope += dy · z where z ≤ 0.
  void (*add_gradients)(Activate activate, const float* dy, const float* x, const NormTiles& tiles,
                        float* grad, float* grad_x, float* slope, int64_t n);
  /// dx = g · scale + x · factor + offset: what reaches the input through the value and through
  /// the batch's statistics.
  void (*backward)(Activate activate, const float* dy, const float* x, const NormTiles& tiles,
                   float* dx, int64_t n);
};

LIMBECK_OF_LEVELS(NormKernels, norm)

}  // namespace limbeck::nn
