#pragma once

#include <cstdint>

#include "limbeck/core/cpu.h"

// Inner loops of the depthwise convolution, compiled for each CpuLevel. Rows are [F, C].

namespace limbeck::nn {

/// The rows that one row of places is computed from: place f stands on the bins
/// f · in_step + first + (0 ... taps − 1) of each; those that lie outside count as zeros.
struct DepthwiseRow {
  const float* const* in;      // [rows], each [in_bins, C]
  const float* const* weight;  // [rows], each [taps, C]; not for the gradient
  int64_t rows, taps, channels;
  int64_t in_bins, in_step, first;
  int64_t places;
};

struct DepthwiseKernels {
  /// out[f · out_step, c] = bias[c] + Σ over rows and taps of weight · in; `bias` may be null.
  void (*convolve)(const DepthwiseRow& row, const float* bias, float* out, int64_t out_step);
  /// sums[i][tap, c] += Σ_f in[0] · grads[i][f, c], for as many gradients as there are rows: those
  /// that one row of the input has a part in.
  void (*add_weight_gradient)(const DepthwiseRow& row, const float* const* grads,
                              float* const* sums);
};

LIMBECK_OF_LEVELS(DepthwiseKernels, depthwise)

}  // namespace limbeck::nn
