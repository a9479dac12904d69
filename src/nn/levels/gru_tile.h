#pragma once

// What both directions of the recurrence share: tiles, and the way to them and back.

#include "limbeck/core/simd.h"
#include "nn/levels/gru.h"

namespace limbeck::nn::LIMBECK_LEVEL {

using namespace limbeck::LIMBECK_LEVEL::simd;  // NOLINT

/// Two registers of rows, so that a broadcast weight serves two products. With two units and three
/// gates twelve sums run at once, which hides the latency of a multiply-add and leaves registers
/// for what is multiplied (sixteen in all).
constexpr int kVectors = 2;
constexpr int kTileRows = kVectors * kLanes;
constexpr int kUnits = 2;

LIMBECK_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
LIMBECK_INLINE int64_t tiles_of(int64_t rows) { return (rows + kTileRows - 1) / kTileRows; }
/// In whole registers.
LIMBECK_INLINE int64_t padded(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

template <int... i>
struct Lanes {};
#if defined(__AVX512F__)
using AllLanes = Lanes<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>;
#elif defined(__AVX__)
using AllLanes = Lanes<0, 1, 2, 3, 4, 5, 6, 7>;
#else
using AllLanes = Lanes<0, 1, 2, 3>;
#endif

template <int block, int... i>
LIMBECK_INLINE void swap_blocks(Vec& a, Vec& b, Lanes<i...>) {
  const Vec low = LIMBECK_SHUFFLE(a, b, ((i & block) == 0 ? i : kLanes + i - block)...);
  b = LIMBECK_SHUFFLE(a, b, ((i & block) == 0 ? i + block : kLanes + i)...);
  a = low;
}

/// Exchanges the corners of squares of 2 · block, from the largest on.
template <int block>
LIMBECK_INLINE void transpose(Vec (&v)[kLanes]) {
  LIMBECK_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    if ((i & block) == 0) swap_blocks<block>(v[i], v[i + block], AllLanes());
  }
  if constexpr (block > 1) transpose<block / 2>(v);
}

/// The rows of one tile in a tensor.
struct TileRows {
  int64_t valid;
  int64_t offset[kTileRows];

  LIMBECK_INLINE TileRows(const GruPlace& place, int64_t tile, int64_t rows)
      : valid(smaller(kTileRows, rows - tile * kTileRows)) {
    for (int64_t i = 0; i < valid; ++i) {
      const int64_t row = tile * kTileRows + i;
      offset[i] = row / place.inner_rows * place.outer + row % place.inner_rows * place.inner;
    }
  }
};

template <bool all>
LIMBECK_INLINE void load_block(const float* from, const TileRows& rows, int first, int64_t n,
                               float* tile) {
  Vec v[kLanes];
  LIMBECK_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    v[i] = first + i >= rows.valid ? Vec{}
           : all                   ? load(from + rows.offset[first + i])
                                   : load_some(from + rows.offset[first + i], n);
  }
  transpose<kLanes / 2>(v);
  LIMBECK_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    if (all || i < n) store(tile + i * kTileRows + first, v[i]);
  }
}

/// [rows][channels] → [channels][rows of the tile]; rows that there are not become zeros.
inline void load_tile(const float* from, const TileRows& rows, int64_t channels, float* tile) {
  for (int first = 0; first < kTileRows; first += kLanes) {
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) {
      load_block<true>(from + c, rows, first, kLanes, tile + c * kTileRows);
    }
    if (c == channels) continue;
    // What is left: read once more with what is before it, or alone.
    if (channels > kLanes) {
      c = channels - kLanes;
      load_block<true>(from + c, rows, first, kLanes, tile + c * kTileRows);
    } else {
      load_block<false>(from + c, rows, first, channels - c, tile + c * kTileRows);
    }
  }
}

template <bool all, bool add>
LIMBECK_INLINE void store_block(const float* tile, const TileRows& rows, int first, int64_t n,
                                float* to) {
  Vec v[kLanes];
  LIMBECK_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    v[i] = all || i < n ? load(tile + i * kTileRows + first) : Vec{};
  }
  transpose<kLanes / 2>(v);
  LIMBECK_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    if (first + i >= rows.valid) break;
    float* p = to + rows.offset[first + i];
    if (all) {
      store(p, add ? load(p) + v[i] : v[i]);
    } else {
      store_some(p, add ? load_some(p, n) + v[i] : v[i], n);
    }
  }
}

/// The way back, or added to what is there.
template <bool add>
inline void store_tile(const float* tile, const TileRows& rows, int64_t channels, float* to) {
  for (int first = 0; first < rows.valid; first += kLanes) {
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) {
      store_block<true, add>(tile + c * kTileRows, rows, first, kLanes, to + c);
    }
    if (c == channels) continue;
    if (!add && channels > kLanes) {
      c = channels - kLanes;
      store_block<true, add>(tile + c * kTileRows, rows, first, kLanes, to + c);
    } else {
      store_block<false, add>(tile + c * kTileRows, rows, first, channels - c, to + c);
    }
  }
}

void gru_pack_back(const GruShape& shape, const float* w_input, const float* w_hidden,
                   float* weights);
void gru_backward(const GruBackward& pass, int64_t first_tile, int64_t end_tile, float* sums,
                  float* scratch);
void gru_add_sums(const GruShape& shape, const float* sums, float* dw_input, float* dw_hidden,
                  float* db_input, float* db_hidden);
void gru_sizes_back(const GruShape& shape, GruSizes* sizes);

}  // namespace limbeck::nn::LIMBECK_LEVEL
