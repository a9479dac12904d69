#include "nn/levels/depthwise.h"

#include "limbeck/core/simd.h"

namespace limbeck::nn::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;

/// `lanes` channels side by side; what remains of them after the widest takes narrower ones.
template <int lanes>
struct Block {
  typedef float Vec __attribute__((vector_size(lanes * sizeof(float))));
};
template <>
struct Block<1> {
  typedef float Vec;
};

template <class Vec>
LIMBECK_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class Vec>
LIMBECK_INLINE void store(float* p, Vec v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// Calls body(Block, first channel) for all channels.
template <class Body>
LIMBECK_INLINE void over_channels(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + simd::kLanes <= channels; c += simd::kLanes) body(Block<simd::kLanes>(), c);
  if constexpr (simd::kLanes > 8) {
    if (c + 8 <= channels) body(Block<8>(), c), c += 8;
  }
  if constexpr (simd::kLanes > 4) {
    if (c + 4 <= channels) body(Block<4>(), c), c += 4;
  }
  for (; c < channels; ++c) body(Block<1>(), c);
}

struct Range {
  int64_t begin, end;
};

/// Places all of whose taps lie within the row.
LIMBECK_INLINE Range inner_places(const DepthwiseRow& row) {
  const int64_t room = row.in_bins - row.taps - row.first;
  int64_t begin = row.first < 0 ? (-row.first + row.in_step - 1) / row.in_step : 0;
  int64_t end = room < 0 ? 0 : room / row.in_step + 1;
  if (end > row.places) end = row.places;
  if (begin > end) begin = end;
  return {begin, end};
}

/// Some neighbouring places, which share the loads of the weights, and whose sums do not wait for
/// each other.
template <int count, class Vec>
LIMBECK_INLINE void sum_places(const DepthwiseRow& row, Vec start, Range taps, int64_t place,
                               int64_t c, float* out, int64_t out_step) {
  const int64_t channels = row.channels, step = row.in_step * channels;
  const int64_t offset = (place * row.in_step + row.first + taps.begin) * channels + c;
  Vec sum[count];
  for (int i = 0; i < count; ++i) sum[i] = start;
  for (int64_t r = 0; r < row.rows; ++r) {
    const float* x = row.in[r] + offset;
    const float* w = row.weight[r] + taps.begin * channels + c;
    for (int64_t tap = taps.begin; tap < taps.end; ++tap, x += channels, w += channels) {
      const Vec weight = load<Vec>(w);
      for (int i = 0; i < count; ++i) sum[i] += weight * load<Vec>(x + i * step);
    }
  }
  for (int i = 0; i < count; ++i) store(out + (place + i) * out_step * channels + c, sum[i]);
}

template <int count>
LIMBECK_INLINE void convolve_places(const DepthwiseRow& row, const float* bias, Range taps,
                                    int64_t place, float* out, int64_t out_step) {
  over_channels(row.channels, [&](auto block, int64_t c) __attribute__((always_inline)) {
    using Vec = typename decltype(block)::Vec;
    const Vec start = bias != nullptr ? load<Vec>(bias + c) : Vec{};
    sum_places<count>(row, start, taps, place, c, out, out_step);
  });
}

/// All places whose taps all lie within the row, `count` at a time and then one at a time.
template <int count>
LIMBECK_INLINE void convolve_inner(const DepthwiseRow& row, const float* bias, Range places,
                                   float* out, int64_t out_step) {
  const Range all{0, row.taps};
  const int64_t step = row.in_step * row.channels;
  int64_t place = places.begin;
  for (; place + count <= places.end; place += count) {
    // Processors foresee one stream of loads, and not that of many rows' short stretches.
    const float* next = row.in[row.rows - 1] + (place + count) * step + row.first * row.channels;
    for (int64_t i = 0; i < count * step; i += 16) __builtin_prefetch(next + i);
    convolve_places<count>(row, bias, all, place, out, out_step);
  }
  for (; place < places.end; ++place) convolve_places<1>(row, bias, all, place, out, out_step);
}

void convolve(const DepthwiseRow& row, const float* bias, float* out, int64_t out_step) {
  constexpr int64_t kManyChannels = 96;  // their places fill the L1 cache sooner
  const Range inner = row.rows > 0 ? inner_places(row) : Range{0, 0};
  const auto edge = [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      const int64_t at = place * row.in_step + row.first;
      Range taps{at < 0 ? -at : 0, row.in_bins - at};
      if (taps.end > row.taps) taps.end = row.taps;
      convolve_places<1>(row, bias, taps, place, out, out_step);
    }
  };
  edge(0, inner.begin);
  if (row.channels < kManyChannels) {
    convolve_inner<8>(row, bias, inner, out, out_step);
  } else {
    convolve_inner<4>(row, bias, inner, out, out_step);
  }
  edge(inner.end, row.places);
}

/// Gradients of `rows` · `taps` weights of some channels, in registers over some places.
template <int rows, int taps, class Vec>
LIMBECK_INLINE void add_products(const DepthwiseRow& row, int64_t first_row, int64_t first_tap,
                                 Range places, Range inner, int64_t c, const float* grad,
                                 float* const* sums) {
  const int64_t channels = row.channels, first = row.first + first_tap;
  Vec sum[rows][taps];
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < taps; ++k) {
      sum[r][k] = load<Vec>(sums[first_row + r] + (first_tap + k) * channels + c);
    }
  }
  for (int64_t place = places.begin; place < places.end; ++place) {
    const Vec g = load<Vec>(grad + place * channels + c);
    const int64_t at = place * row.in_step + first;
    if (place >= inner.begin && place < inner.end) {
      for (int r = 0; r < rows; ++r) {
        const float* x = row.in[first_row + r] + at * channels + c;
        for (int k = 0; k < taps; ++k) sum[r][k] += g * load<Vec>(x + k * channels);
      }
    } else {
      for (int k = 0; k < taps; ++k) {
        if (at + k < 0 || at + k >= row.in_bins) continue;
        for (int r = 0; r < rows; ++r) {
          sum[r][k] += g * load<Vec>(row.in[first_row + r] + (at + k) * channels + c);
        }
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < taps; ++k) {
      store(sums[first_row + r] + (first_tap + k) * channels + c, sum[r][k]);
    }
  }
}

template <int rows>
LIMBECK_INLINE void add_rows(const DepthwiseRow& row, int64_t first_row, Range places, Range inner,
                             const float* grad, float* const* sums) {
  over_channels(row.channels, [&](auto block, int64_t c) __attribute__((always_inline)) {
    using Vec = typename decltype(block)::Vec;
    int64_t tap = 0;
    for (; tap + 3 <= row.taps; tap += 3) {
      add_products<rows, 3, Vec>(row, first_row, tap, places, inner, c, grad, sums);
    }
    for (; tap < row.taps; ++tap) {
      add_products<rows, 1, Vec>(row, first_row, tap, places, inner, c, grad, sums);
    }
  });
}

void add_weight_gradient(const DepthwiseRow& row, const float* grad, float* const* sums) {
  constexpr int64_t kPlaces = 16;  // few enough that many channels of them stay in the L1 cache
  const Range inner = inner_places(row);
  for (int64_t place = 0; place < row.places; place += kPlaces) {
    const Range places{place, place + kPlaces < row.places ? place + kPlaces : row.places};
    int64_t r = 0;
    for (; r + 3 <= row.rows; r += 3) add_rows<3>(row, r, places, inner, grad, sums);
    for (; r < row.rows; ++r) add_rows<1>(row, r, places, inner, grad, sums);
  }
}

}  // namespace

const DepthwiseKernels depthwise = {convolve, add_weight_gradient};

}  // namespace limbeck::nn::LIMBECK_LEVEL
