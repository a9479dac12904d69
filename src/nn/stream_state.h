#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <unordered_map>

namespace limbeck::nn {

/// What the layers of a network remember of the frames before, when a stream comes in chunks of
/// frames. Each layer that looks back owns one tensor, undefined at the start of the stream.
///
/// A layer that looks ahead gives so many frames less for the first chunk, and catches up at the
/// end; what goes around it waits here. The first chunk has to be longer than all look ahead
/// together.
class StreamState {
 public:
  at::Tensor& of(const void* layer) { return memory_[layer]; }
  /// The next `frames` frames of what has come for `layer` so far, `x` last, along `dim`; what is
  /// left waits.
  at::Tensor delayed(const void* layer, const at::Tensor& x, int64_t frames, int64_t dim) {
    const auto held = memory_.find(layer);
    if (held == memory_.end() && frames == x.size(dim)) return x;
    const auto all = held == memory_.end() ? x : at::cat({held->second, x}, dim);
    memory_[layer] = all.narrow(dim, frames, all.size(dim) - frames).clone();
    return all.narrow(dim, 0, frames);
  }
  /// From now on: the next chunk is the last one, behind which layers meet zeros.
  void end() { ending_ = true; }
  bool ending() const { return ending_; }
  void clear() {
    memory_.clear();
    ending_ = false;
  }
  /// Numbers kept in all.
  int64_t values() const {
    int64_t sum = 0;
    for (const auto& [layer, tensor] : memory_) sum += tensor.defined() ? tensor.numel() : 0;
    return sum;
  }

 private:
  std::unordered_map<const void*, at::Tensor> memory_;
  bool ending_ = false;
};

}  // namespace limbeck::nn
