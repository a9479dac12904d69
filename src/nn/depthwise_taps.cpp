#include "nn/depthwise_taps.h"

#include <torch/types.h>

#include <algorithm>
#include <numeric>

namespace limbeck::nn {
namespace {

Taps pick(const at::Tensor& weight, const std::vector<int64_t>& taps_freq, int64_t first,
          int64_t width) {
  const auto w = weight.squeeze(1).contiguous();  // [C, k_T, k_F]
  const auto all = w.accessor<float, 3>();
  Taps taps{{}, static_cast<int64_t>(taps_freq.size()), first};
  for (int64_t kt = 0; kt < w.size(1); ++kt) {
    for (const int64_t kf : taps_freq) {
      for (int64_t c = 0; c < width; ++c) {
        taps.values.push_back(c < w.size(0) ? all[c][kt][kf] : 0.0F);
      }
    }
  }
  return taps;
}

}  // namespace

Taps all_taps(const at::Tensor& weight, int64_t width) {
  std::vector<int64_t> taps_freq(static_cast<size_t>(weight.size(3)));
  std::iota(taps_freq.begin(), taps_freq.end(), 0);
  return pick(weight, taps_freq, -weight.size(3) / 2, width);
}

std::vector<Taps> taps_of_phases(const at::Tensor& weight, int64_t stride, int64_t width) {
  std::vector<Taps> phases;
  for (int64_t phase = 0; phase < stride; ++phase) {
    std::vector<int64_t> taps_freq;
    int64_t first = 0;
    for (int64_t kf = weight.size(3) - 1; kf >= 0; --kf) {
      const int64_t reached = phase + weight.size(3) / 2 - kf;
      if (reached % stride != 0) continue;
      if (taps_freq.empty()) first = reached / stride;
      taps_freq.push_back(kf);
    }
    phases.push_back(pick(weight, taps_freq, first, width));
  }
  return phases;
}

void convolve_back(const DepthwiseKernels& kernels, const std::vector<Taps>& phases,
                   const std::vector<const float*>& grads, const std::vector<int64_t>& times,
                   int64_t width, int64_t bins_out, int64_t bins, float* dx) {
  const auto stride = static_cast<int64_t>(phases.size());
  std::vector<const float*> weights(times.size());
  for (int64_t phase = 0; phase < std::min(stride, bins); ++phase) {
    const Taps& taps = phases[static_cast<size_t>(phase)];
    for (size_t i = 0; i < times.size(); ++i) weights[i] = taps.of(times[i], width);
    kernels.convolve({grads.data(), weights.data(), static_cast<int64_t>(grads.size()), taps.count,
                      width, bins_out, 1, taps.first, (bins - phase - 1) / stride + 1},
                     nullptr, dx + phase * width, stride);
  }
}

}  // namespace limbeck::nn
