#pragma once

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace limbeck::nn {

/// The numbers of `x` [B, C, T, F] in the order [B, T, F, C].
inline const float* rows_of(const at::Tensor& x) { return x.const_data_ptr<float>(); }

inline at::Tensor empty_rows(at::IntArrayRef sizes) {
  return torch::empty(sizes, torch::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast));
}

/// What functions with own derivatives take in place of an undefined tensor.
inline std::optional<at::Tensor> if_defined(const at::Tensor& x) {
  return x.defined() ? std::optional<at::Tensor>(x) : std::nullopt;
}

/// Pieces that sums are cut into: enough for many cores, and the same for any number of them.
inline int64_t piece_count(int64_t items) { return std::clamp<int64_t>(items, 1, 64); }

/// Calls body(piece, first item, end) for each piece, on LibTorch's threads.
template <class Body>
void for_pieces(int64_t items, const Body& body) {
  const int64_t pieces = piece_count(items);
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) body(p, items * p / pieces, items * (p + 1) / pieces);
  });
}

}  // namespace limbeck::nn
