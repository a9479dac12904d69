#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"
#include "nn/levels/norm.h"

// Steps of the inverted bottleneck on a frame of a feature map, which stays in the cache between
// them. Rows are [width]: the channels of a place, and zeros until whole registers are full.

namespace limbeck::nn {

/// Of each number of a row, all [width]; z = x · scale + shift.
struct RowAffine {
  const float *scale, *shift;
  const float* slope;  // of Activate::prelu
};

/// What is summed over rows, all [width], added to.
struct RowSums {
  float* grad;    // g
  float* grad_x;  // g · (x − mean)
  float* slope;   // of Activate::prelu: dy · z where z ≤ 0
};

struct BlockKernels {
  int64_t lanes;  ///< a width is a multiple of it

  /// to [rows][width] = from [rows][channels] − centre [channels], which may be null
  void (*load)(const float* from, const float* centre, int64_t rows, int64_t channels, float* to);
  /// to [rows][channels] = from [rows][width] + add [rows][channels], which may be null, or `to`
  void (*store)(const float* from, const float* add, int64_t rows, int64_t channels, float* to);

  /// A matrix [depth][width] as `multiply` takes it, of as many numbers.
  void (*pack)(const float* matrix, int64_t depth, int64_t width, float* packed);
  /// y = activation of (start + x · matrix), with x [rows][x_width], of which `depth` numbers are
  /// used, and start [width].
  void (*multiply)(Activate activate, const float* x, int64_t x_width, int64_t depth,
                   const float* packed, const float* start, const float* slope, int64_t rows,
                   int64_t width, float* y);
  /// sums [depth][width] += Σ over rows of x ⊗ y, with x [rows][x_width] and y [rows][width]
  void (*add_outer)(const float* x, int64_t x_width, int64_t depth, const float* y, int64_t rows,
                    int64_t width, float* sums);

  /// sums [channels][width] += Σ over rows of x ⊗ x in double precision, above the diagonal and a
  /// little below it; `scratch` holds as many numbers as x [rows][width].
  void (*add_products)(const float* x, int64_t rows, int64_t channels, double* scratch,
                       double* sums);

  /// About a mean of float precision, and what that leaves: Σ (x − mean), Σ (x − mean)².
  void (*moments)(const float* x, int64_t rows, int64_t width, float* mean, float* rest,
                  float* square);
  /// y = activation of z
  void (*activate)(Activate activate, const float* x, const RowAffine& affine, int64_t rows,
                   int64_t width, float* y);
  /// y = activation of z; g = gradient at z of what `dy` is at y. `g` may be `dy`.
  void (*differentiate)(Activate activate, const float* dy, const float* x, const RowAffine& affine,
                        const float* mean, int64_t rows, int64_t width, float* y, float* g,
                        const RowSums& sums);
  /// y = g · scale + x · factor + offset
  void (*combine)(const float* g, const float* x, const float* scale, const float* factor,
                  const float* offset, int64_t rows, int64_t width, float* y);
};

LIMBECK_OF_LEVELS(BlockKernels, block)

}  // namespace limbeck::nn
