#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

// Gated recurrent units over whole sequences, for kernel_gru.cpp. Rows (sequences) lie in the lanes
// of registers: a tile is [channels][rows], so that no lane is idle whatever the number of units,
// and a tile's whole sequence runs without waiting for another's. Numbers outside are
// [step][row][channel] in any order of memory that keeps a row's channels together.

namespace limbeck::nn {

struct GruShape {
  int64_t steps, rows, inputs, units;
};

/// Where [step][row] begins: step·s + (row / inner_rows)·outer + (row % inner_rows)·inner.
struct GruPlace {
  int64_t step, outer, inner, inner_rows;
};

/// Floats, of which the layout is the kernels' own.
struct GruSizes {
  int64_t tile_rows;
  int64_t weights, weights_back;  ///< packed
  int64_t gates;                  ///< of a tile
  int64_t sums;                   ///< of weights' gradients
  int64_t scratch, scratch_back;
};

struct GruForward {
  GruShape shape;
  bool reverse;  ///< from the last step to the first
  const float* x;
  GruPlace x_place;
  float* y;
  GruPlace y_place;
  const float* start;    ///< [rows][units]; null: zeros
  const float* weights;  ///< of `pack`
  float* gates;          ///< null, or where what `backward` needs is kept, tile by tile
};

struct GruBackward {
  GruShape shape;
  bool reverse;
  const float* x;
  GruPlace x_place;
  const float* y;  ///< what forward gave
  GruPlace y_place;
  const float* dy;
  GruPlace dy_place;
  const float* start;
  const float* weights;  ///< of `pack_back`
  const float* gates;
  float* dx;  ///< null: not asked for
  GruPlace dx_place;
  bool add_to_dx;
  float* dstart;  ///< [rows][units]; null: not asked for
};

/// Weights and biases are PyTorch's: [3·units][inputs or units] and [3·units], gates in the order
/// r, z, n. Tiles are counted from 0, each of `tile_rows` rows, the last one of what is left.
struct GruKernels {
  void (*sizes)(const GruShape& shape, GruSizes* sizes);
  void (*pack)(const GruShape& shape, const float* w_input, const float* w_hidden,
               const float* b_input, const float* b_hidden, float* weights);
  void (*pack_back)(const GruShape& shape, const float* w_input, const float* w_hidden,
                    float* weights);
  void (*forward)(const GruForward& pass, int64_t first_tile, int64_t end_tile, float* scratch);
  /// Adds weights' gradients to `sums`, which start as zeros.
  void (*backward)(const GruBackward& pass, int64_t first_tile, int64_t end_tile, float* sums,
                   float* scratch);
  /// Adds `sums` to the gradients of the weights and biases.
  void (*add_sums)(const GruShape& shape, const float* sums, float* dw_input, float* dw_hidden,
                   float* db_input, float* db_hidden);
  /// sigmoid and tanh of `n` numbers as the gates compute them: absolute errors below 1e-7, 2e-7.
  void (*gate_functions)(const float* x, float* sigmoid, float* tanh, int64_t n);
};

LIMBECK_OF_LEVELS(GruKernels, gru)

}  // namespace limbeck::nn
