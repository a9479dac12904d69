#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/levels/depthwise.h"

namespace limbeck::nn {

/// Weights [k_T][tap, width] of those taps along F that a row of places stands on.
struct Taps {
  std::vector<float> values;
  int64_t count, first;  // per k_T; the bin under the first one at place 0

  const float* of(int64_t k_time, int64_t width) const {
    return values.data() + k_time * count * width;
  }
};

/// All taps of `weight` [C, 1, k_T, k_F], with zeros behind the channels up to `width`.
Taps all_taps(const at::Tensor& weight, int64_t width);
/// The taps that lead from bins of the output to the bins phase, phase + stride, ... of the input,
/// in the order of the former; one for each phase.
std::vector<Taps> taps_of_phases(const at::Tensor& weight, int64_t stride, int64_t width);

/// The gradient `dx` [bins, width] of one row of the input: `grads` [bins_out, width] are those of
/// the rows of the output that it has a part in, by the taps times[i] along T. `phases` as above.
void convolve_back(const DepthwiseKernels& kernels, const std::vector<Taps>& phases,
                   const std::vector<const float*>& grads, const std::vector<int64_t>& times,
                   int64_t width, int64_t bins_out, int64_t bins, float* dx);

}  // namespace limbeck::nn
