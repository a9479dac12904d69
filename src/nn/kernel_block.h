#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "limbeck/core/cpu.h"
#include "nn/levels/norm.h"

namespace limbeck::nn {

/// A convolution of an inverted bottleneck, the norm behind it, and the slopes of the activation
/// behind that.
struct BlockUnit {
  at::Tensor weight;        ///< of the convolution, [out, in or 1, k_T, k_F]
  at::Tensor scale;         ///< of the batch norm; undefined: there is none
  at::Tensor bias;          ///< of the norm, or of the convolution
  at::Tensor running_mean;  ///< these two change in training
  at::Tensor running_var;
  at::Tensor slope;  ///< of Activate::prelu, else undefined
};

struct BlockOptions {
  Activate activate = Activate::relu6;  ///< behind the first two convolutions
  int64_t stride_freq = 1;
  int64_t dilation_time = 1;
  int64_t before = 0;  ///< zeros before the first frame of the depthwise convolution
  int64_t after = 0;   ///< zeros after the last one; both together as much as the kernel covers
  int64_t upsample_freq = 1;  ///< groups of channels that the last one interleaves into the bins
  bool residual = false;
  bool training = false;
  double momentum = 0.1;
  double epsilon = 1e-5;
  /// As NormOptions::valid_frames; outside of training, where the kernel looks ahead, the frames
  /// behind are zeros to the depthwise convolution.
  std::vector<int64_t> valid_frames = {};
  CpuLevel level = cpu_level();
};

/// The linear inverted bottleneck of `x` [B, C, T, F] in few passes over memory: 1x1 convolution,
/// depthwise convolution and 1x1 convolution, as InvertedBottleneck orders them. What the first one
/// gives is never written: its statistics follow from the covariance of `x`, and both passes make
/// it anew, a frame at a time. Norms are batch norms, or, without gradients, none at all.
at::Tensor inverted_bottleneck(const at::Tensor& x, const std::array<BlockUnit, 3>& units,
                               const BlockOptions& options);

}  // namespace limbeck::nn
