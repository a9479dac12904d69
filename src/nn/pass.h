#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "limbeck/nn/kernel_use.h"
#include "nn/stream_state.h"

// Legend: B batch, C channel, T frame, F bin, L sample.

namespace limbeck::nn {

/// [B, size] of bool, true from lengths[b] on.
at::Tensor behind(const std::vector<int64_t>& lengths, int64_t size, at::Device device);

/// How many frames of each item hold signal, where some have padding behind it.
class ValidFrames {
 public:
  /// Of `all` frames, counts[b] of item b.
  ValidFrames(std::vector<int64_t> counts, int64_t all, at::Device device);
  const std::vector<int64_t>& counts() const { return counts_; }
  /// Of all items together.
  int64_t total() const;
  /// `x` [B, C, T, F] with zeros in place of the padding.
  at::Tensor cut(const at::Tensor& x) const;

 private:
  std::vector<int64_t> counts_;
  at::Tensor padding_;  // [B, 1, T, 1], bool
};

/// What goes through a network beside its feature maps.
struct Pass {
  StreamState* stream = nullptr;       ///< not null: the input holds the next frames of a stream
  const ValidFrames* valid = nullptr;  ///< null: every frame of every item holds signal
  Kernels kernels = Kernels::fused;
  KernelUse* use = nullptr;  ///< not null: is told what ran where
  /// How feature maps are to lie in memory: in the order [B, T, F, C], which the kernels take.
  bool channels_last = true;

  /// Null if the kernels take `x` [B, C, T, F], else why they do not.
  const char* no_kernel_for(const at::Tensor& x) const;
  /// `x` as the kernels take it, where they could run. Whatever gives feature maps gives them so:
  /// a copy is reported.
  at::Tensor for_kernels(const at::Tensor& x) const;

  /// `x` [B, C, T, F] on its way around `layer`, which has given `frames` frames.
  at::Tensor around(const void* layer, const at::Tensor& x, int64_t frames) const {
    return stream != nullptr ? stream->delayed(layer, x, frames, 2) : x;
  }

  /// A kernel ran `operation`.
  void by_kernel(const char* operation) const {
    if (use != nullptr) use->add({operation, "", "kernel"});
  }
  /// LibTorch ran it; `fall_back` says why a kernel did not, where there is one.
  void by_libtorch(const char* operation, const char* fall_back = "") const {
    if (use != nullptr) use->add({operation, fall_back, "libtorch"});
  }
};

}  // namespace limbeck::nn
