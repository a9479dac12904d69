#pragma once

#include <ATen/core/Tensor.h>

#include <unordered_map>

namespace limbeck::nn {

/// What the layers of a network remember of the frames before, when a stream comes in chunks of
/// frames. Each layer that looks back owns one tensor, undefined at the start of the stream.
class StreamState {
 public:
  at::Tensor& of(const void* layer) { return memory_[layer]; }
  void clear() { memory_.clear(); }
  /// Numbers kept in all.
  int64_t values() const {
    int64_t sum = 0;
    for (const auto& [layer, tensor] : memory_) sum += tensor.defined() ? tensor.numel() : 0;
    return sum;
  }

 private:
  std::unordered_map<const void*, at::Tensor> memory_;
};

}  // namespace limbeck::nn
