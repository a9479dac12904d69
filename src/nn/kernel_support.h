#pragma once

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <atomic>
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

/// For each thread of LibTorch's makes run = start(), and calls run(task) for each of them. Whoever
/// is done takes the next one, so that nobody waits long for a thread that other programs hold up;
/// which thread does what must change no bit.
template <class Start>
void for_tasks(int64_t tasks, const Start& start) {
  std::atomic<int64_t> next = 0;
  at::parallel_for(0, std::min<int64_t>(tasks, at::get_num_threads()), 1, [&](int64_t, int64_t) {
    auto run = start();
    for (int64_t task = next++; task < tasks; task = next++) run(task);
  });
}

/// Calls body(piece, first item, end) for each piece.
template <class Body>
void for_pieces(int64_t items, const Body& body) {
  const int64_t pieces = piece_count(items);
  for_tasks(pieces, [&] {
    return [&](int64_t p) { body(p, items * p / pieces, items * (p + 1) / pieces); };
  });
}

}  // namespace limbeck::nn
