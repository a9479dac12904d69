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
  LIMBECK_UNROLL
  for (int i = 0; i < count; ++i) sum[i] = start;
  for (int64_t r = 0; r < row.rows; ++r) {
    const float* x = row.in[r] + offset;
    const float* w = row.weight[r] + taps.begin * channels + c;
    for (int64_t tap = taps.begin; tap < taps.end; ++tap, x += channels, w += channels) {
      const Vec weight = load<Vec>(w);
      LIMBECK_UNROLL
      for (int i = 0; i < count; ++i) sum[i] += weight * load<Vec>(x + i * step);
    }
  }
  LIMBECK_UNROLL
  for (int i = 0; i < count; ++i) store(out + (place + i) * out_step * channels + c, sum[i]);
}

/// The same where the taps, all of them, and the step are known: neighbouring places share the
/// loads of what they stand on.
template <int count, int taps, int step, class Vec>
LIMBECK_INLINE void sum_places_of(const DepthwiseRow& row, Vec start, int64_t place, int64_t c,
                                  float* out, int64_t out_step) {
  const int64_t channels = row.channels;
  const int64_t offset = (place * step + row.first) * channels + c;
  Vec sum[count];
  LIMBECK_UNROLL
  for (int i = 0; i < count; ++i) sum[i] = start;
  for (int64_t r = 0; r < row.rows; ++r) {
    const float* x = row.in[r] + offset;
    const float* w = row.weight[r] + c;
    Vec weight[taps];
    LIMBECK_UNROLL
    for (int k = 0; k < taps; ++k) weight[k] = load<Vec>(w + k * channels);
    LIMBECK_UNROLL
    for (int bin = 0; bin < (count - 1) * step + taps; ++bin, x += channels) {
      const Vec in = load<Vec>(x);
      LIMBECK_UNROLL
      for (int k = 0; k < taps; ++k) {
        if (bin >= k && (bin - k) % step == 0 && (bin - k) / step < count) {
          sum[(bin - k) / step] += weight[k] * in;
        }
      }
    }
  }
  LIMBECK_UNROLL
  for (int i = 0; i < count; ++i) store(out + (place + i) * out_step * channels + c, sum[i]);
}

template <int count>
LIMBECK_INLINE void convolve_places(const DepthwiseRow& row, const float* bias, Range taps,
                                    int64_t place, float* out, int64_t out_step) {
  over_channels(row.channels, [&](auto block, int64_t c) __attribute__((always_inline)) {
    using Vec = typename decltype(block)::Vec;
    const Vec start = bias != nullptr ? load<Vec>(bias + c) : Vec{};
    if constexpr (count > 1 && sizeof(Vec) == sizeof(simd::Vec)) {
      if (row.taps == 3 && row.in_step == 1) {
        return sum_places_of<count, 3, 1>(row, start, place, c, out, out_step);
      }
      if (row.taps == 3 && row.in_step == 2) {
        return sum_places_of<count, 3, 2>(row, start, place, c, out, out_step);
      }
    }
    sum_places<count>(row, start, taps, place, c, out, out_step);
  });
}

/// All places whose taps all lie within the row, `count` at a time; the last ones with some before
/// them once more, or one at a time where there are fewer.
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
  if (place < places.end && places.end - count >= places.begin) {
    convolve_places<count>(row, bias, all, places.end - count, out, out_step);
    return;
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

/// Gradients of `rows` · `taps` weights of some channels, in registers over some places whose taps
/// all lie within the row.
template <int rows, int taps, class Vec>
LIMBECK_INLINE void add_products(const DepthwiseRow& row, int64_t first_row, int64_t first_tap,
                                 Range places, int64_t c, const float* const* grads,
                                 float* const* sums) {
  const int64_t channels = row.channels, step = row.in_step * channels;
  Vec sum[rows][taps];
  const float* from[rows];
  LIMBECK_UNROLL
  for (int r = 0; r < rows; ++r) {
    from[r] = grads[first_row + r] + places.begin * channels + c;
    LIMBECK_UNROLL
    for (int k = 0; k < taps; ++k) {
      sum[r][k] = load<Vec>(sums[first_row + r] + (first_tap + k) * channels + c);
    }
  }
  const float* x = row.in[0] + (places.begin * row.in_step + row.first + first_tap) * channels + c;
  for (int64_t place = places.begin; place < places.end; ++place, x += step) {
    Vec in[taps];
    LIMBECK_UNROLL
    for (int k = 0; k < taps; ++k) in[k] = load<Vec>(x + k * channels);
    LIMBECK_UNROLL
    for (int r = 0; r < rows; ++r) {
      const Vec g = load<Vec>(from[r]);
      from[r] += channels;
      LIMBECK_UNROLL
      for (int k = 0; k < taps; ++k) sum[r][k] += g * in[k];
    }
  }
  LIMBECK_UNROLL
  for (int r = 0; r < rows; ++r) {
    LIMBECK_UNROLL
    for (int k = 0; k < taps; ++k) {
      store(sums[first_row + r] + (first_tap + k) * channels + c, sum[r][k]);
    }
  }
}

template <int rows>
LIMBECK_INLINE void add_rows(const DepthwiseRow& row, int64_t first_row, Range places,
                             const float* const* grads, float* const* sums) {
  over_channels(row.channels, [&](auto block, int64_t c) __attribute__((always_inline)) {
    using Vec = typename decltype(block)::Vec;
    int64_t tap = 0;
    for (; tap + 3 <= row.taps; tap += 3) {
      add_products<rows, 3, Vec>(row, first_row, tap, places, c, grads, sums);
    }
    for (; tap < row.taps; ++tap) {
      add_products<rows, 1, Vec>(row, first_row, tap, places, c, grads, sums);
    }
  });
}

/// Of one place, some of whose taps lie outside.
LIMBECK_INLINE void add_edge(const DepthwiseRow& row, int64_t place, const float* const* grads,
                             float* const* sums) {
  const int64_t channels = row.channels, at = place * row.in_step + row.first;
  over_channels(channels, [&](auto block, int64_t c) __attribute__((always_inline)) {
    using Vec = typename decltype(block)::Vec;
    for (int64_t k = 0; k < row.taps; ++k) {
      if (at + k < 0 || at + k >= row.in_bins) continue;
      const Vec in = load<Vec>(row.in[0] + (at + k) * channels + c);
      for (int64_t r = 0; r < row.rows; ++r) {
        float* sum = sums[r] + k * channels + c;
        store(sum, load<Vec>(sum) + in * load<Vec>(grads[r] + place * channels + c));
      }
    }
  });
}

void add_weight_gradient(const DepthwiseRow& row, const float* const* grads, float* const* sums) {
  constexpr int64_t kPlaces = 32;  // few enough that many channels of them stay in the L1 cache
  const Range inner = inner_places(row);
  for (int64_t place = 0; place < inner.begin; ++place) add_edge(row, place, grads, sums);
  for (int64_t place = inner.begin; place < inner.end; place += kPlaces) {
    const Range places{place, place + kPlaces < inner.end ? place + kPlaces : inner.end};
    int64_t r = 0;
    for (; r + 3 <= row.rows; r += 3) add_rows<3>(row, r, places, grads, sums);
    for (; r < row.rows; ++r) add_rows<1>(row, r, places, grads, sums);
  }
  for (int64_t place = inner.end; place < row.places; ++place) add_edge(row, place, grads, sums);
}

}  // namespace

const DepthwiseKernels depthwise = {convolve, add_weight_gradient};

}  // namespace limbeck::nn::LIMBECK_LEVEL
