#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "limbeck/core/cpu.h"
#include "limbeck/nn/layers.h"
#include "nn/levels/norm.h"

// Steps of the inverted bottleneck, each in one pass over memory, forward and backward. Feature
// maps of small networks have few channels and many places, so that LibTorch's operators wait for
// memory: what normalises and then activates reads and writes every number twice. These take
// float32 on the CPU in channels-last order ([B, T, F, C] in memory); sums are over fixed pieces,
// so that the number of threads changes no bit.

namespace limbeck::nn {

/// True if the kernels below take `x` [B, C, T, F].
bool has_kernel(const at::Tensor& x);

/// `kind` as a kernel knows it.
inline Activate activate_of(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::relu6:
      return Activate::relu6;
    case ActivationKind::silu:
      return Activate::silu;
    case ActivationKind::prelu:
      break;
  }
  return Activate::prelu;
}

struct DepthwiseOptions {
  int64_t stride_freq = 1;
  int64_t dilation_time = 1;
  int64_t before = 0;  ///< zeros before the first frame
  int64_t after = 0;   ///< zeros after the last one
  CpuLevel level = cpu_level();
};

/// Depthwise convolution over T and F of `x` [B, C, T, F] by `weight` [C, 1, k_T, k_F], k_F odd,
/// padded by k_F / 2 zeros on both sides of F. `bias` [C] may be undefined.
at::Tensor depthwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          const DepthwiseOptions& options);

/// 1x1 convolution of rows `x` [..., in] by `weight` [out, in, ...]: [..., out]. `bias` [out] may
/// be undefined.
at::Tensor pointwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          CpuLevel level = cpu_level());

struct NormOptions {
  bool training = false;  ///< statistics of this batch, which update the running ones
  double momentum = 0.1;
  double epsilon = 1e-5;
  Activate activate = Activate::none;
  /// Of each item, in training; the frames behind are padding: no part of the statistics, and zeros
  /// in what comes out. None given: every frame of every item.
  std::vector<int64_t> valid_frames = {};
  CpuLevel level = cpu_level();
};

/// Batch norm of `x` [B, C, T, F] (Ioffe and Szegedy, 2015) and the activation after it. `slope`
/// [C] is that of Activate::prelu, else undefined. Running statistics [C] change in training.
at::Tensor batch_norm_activate(const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& slope,
                               const at::Tensor& running_mean, const at::Tensor& running_var,
                               const NormOptions& options);

}  // namespace limbeck::nn
