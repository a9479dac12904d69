#include "nn/levels/gru.h"
#include "nn/levels/gru_tile.h"

// Legend: U units, D gates' derivatives, R rows of a tile, P lanes of a register.
//
// D of a step: [n, r, z, m][U][R], m being what r multiplies; those of the input are the first
// three and those of the units before the last three. Packed weights: for each block of channels
// (inputs, then units) [3·U][that block], in the order of D. Sums: [3·U][inputs], [3·U][units],
// both padded to whole registers and in the order of D, then [4·U][P] for the biases.

namespace limbeck::nn::LIMBECK_LEVEL {
namespace {

/// Channels whose sums over D run at once: 6 · 2 registers.
constexpr int kChannels = 6;
LIMBECK_INLINE int64_t channels_at_once(int64_t left) {
  return left >= kChannels ? kChannels : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/// Weights' gradients are summed over some steps in registers before they go to memory: so many
/// that D of them stays in the cache.
int64_t steps_at_once(const GruShape& s) {
  const int64_t fit = 24576 / (4 * s.units * kTileRows);
  return smaller(s.steps, fit < 2 ? 2 : smaller(fit, 8));
}

void pack_matrix(const float* from, int64_t units, int64_t channels, const int* order, float* to) {
  for (int64_t c = 0; c < channels;) {
    const int64_t count = channels_at_once(channels - c);
    for (int64_t gate = 0; gate < 3; ++gate) {
      const float* row = from + order[gate] * units * channels + c;
      for (int64_t u = 0; u < units; ++u, row += channels) {
        for (int64_t i = 0; i < count; ++i) *to++ = row[i];
      }
    }
    c += count;
  }
}

/// to[c] += Σ D · weights, for `count` channels; `w` [rows][count].
template <int count>
LIMBECK_INLINE void add_channels(const float* d, int64_t rows, const float* w, float* to) {
  Vec sum[count][kVectors];
  LIMBECK_UNROLL
  for (int c = 0; c < count; ++c) {
    LIMBECK_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[c][v] = load(to + c * kTileRows + v * kLanes);
  }
  for (int64_t i = 0; i < rows; ++i, w += count, d += kTileRows) {
    Vec g[kVectors];
    LIMBECK_UNROLL
    for (int v = 0; v < kVectors; ++v) g[v] = load(d + v * kLanes);
    LIMBECK_UNROLL
    for (int c = 0; c < count; ++c) {
      const Vec b = broadcast(w[c]);
      LIMBECK_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[c][v] += b * g[v];
    }
  }
  LIMBECK_UNROLL
  for (int c = 0; c < count; ++c) {
    LIMBECK_UNROLL
    for (int v = 0; v < kVectors; ++v) store(to + c * kTileRows + v * kLanes, sum[c][v]);
  }
}

void add_back(const float* d, int64_t rows, const float* w, int64_t channels, float* to) {
  for (int64_t c = 0; c < channels;) {
    const int64_t count = channels_at_once(channels - c);
    float* p = to + c * kTileRows;
    switch (count) {
      case kChannels:
        add_channels<kChannels>(d, rows, w, p);
        break;
      case 4:
        add_channels<4>(d, rows, w, p);
        break;
      case 2:
        add_channels<2>(d, rows, w, p);
        break;
      default:
        add_channels<1>(d, rows, w, p);
    }
    w += rows * count;
    c += count;
  }
}

/// D of one step from the gradient of what it gave; `carry` [U][R] becomes what of it goes straight
/// to the step before.
void differentiate(const float* gates, const float* before, const float* dy, int64_t units,
                   float* carry, float* d) {
  const int64_t gate = units * kTileRows;
  for (int64_t u = 0; u < units; ++u) {
    LIMBECK_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = u * kTileRows + v * kLanes;
      const float* g = gates + u * 4 * kTileRows + v * kLanes;
      const Vec r = load(g), z = load(g + kTileRows), n = load(g + 2 * kTileRows),
                m = load(g + 3 * kTileRows);
      const Vec dh = load(dy + at) + load(carry + at);
      const Vec kept = dh * z;
      const Vec dn = (dh - kept) * (1.0F - n * n);
      const Vec dm = dn * r;
      store(carry + at, kept);
      store(d + at, dn);
      store(d + gate + at, dm * m * (1.0F - r));
      store(d + 2 * gate + at, kept * (load(before + at) - n) * (1.0F - z));
      store(d + 3 * gate + at, dm);
    }
  }
}

/// [rows][channels] → [register of channels][row of `all`][P], zeros where there is nothing.
void copy_rows(const float* from, const TileRows& rows, int64_t channels, int64_t all, float* to) {
  for (int64_t c = 0; c < channels; c += kLanes, to += all * kLanes) {
    const int64_t n = channels - c;
    for (int64_t i = 0; i < kTileRows; ++i) {
      const Vec v = i >= rows.valid ? Vec{}
                    : n >= kLanes   ? load(from + rows.offset[i] + c)
                                    : load_some(from + rows.offset[i] + c, n);
      store(to + i * kLanes, v);
    }
  }
}

/// What weights' gradients are made of: D and channels of some steps.
struct Steps {
  int64_t count, at_once;
  int64_t d_size;  // of a step
};

/// sums[j][·] += Σ over rows of D[j] · channels, for `rows` of D from the first on, of which the
/// first `skip` are done, and channels in `vectors` registers.
template <int rows, int vectors>
LIMBECK_INLINE void add_outer(const Steps& s, const float* d, const float* channels, int64_t skip,
                              float* sums, int64_t stride) {
  Vec sum[rows][vectors];
  LIMBECK_UNROLL
  for (int j = 0; j < rows; ++j) {
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) sum[j][v] = Vec{};
  }
  const int64_t next = s.at_once * kTileRows * kLanes;
  for (int64_t step = 0; step < s.count; ++step, d += s.d_size) {
    for (int64_t i = 0; i < kTileRows; ++i, channels += kLanes) {
      Vec c[vectors];
      LIMBECK_UNROLL
      for (int v = 0; v < vectors; ++v) c[v] = load(channels + v * next);
      LIMBECK_UNROLL
      for (int j = 0; j < rows; ++j) {
        const Vec b = broadcast(d[j * kTileRows + i]);
        LIMBECK_UNROLL
        for (int v = 0; v < vectors; ++v) sum[j][v] += b * c[v];
      }
    }
  }
  LIMBECK_UNROLL
  for (int j = 0; j < rows; ++j) {
    if (j < skip) continue;
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) {
      float* p = sums + j * stride + v * kLanes;
      store(p, load(p) + sum[j][v]);
    }
  }
}

template <int vectors>
void add_outer_all(const Steps& s, const float* d, int64_t d_rows, const float* channels,
                   float* sums, int64_t stride) {
  constexpr int rows = 12 / vectors;
  int64_t j = 0;
  for (; j + rows <= d_rows; j += rows) {
    add_outer<rows, vectors>(s, d + j * kTileRows, channels, 0, sums + j * stride, stride);
  }
  if (j == d_rows) return;
  if (d_rows > rows) {  // the last ones once more, with those before them
    const int64_t first = d_rows - rows;
    add_outer<rows, vectors>(s, d + first * kTileRows, channels, j - first, sums + first * stride,
                             stride);
    return;
  }
  for (; j < d_rows; ++j) {
    add_outer<1, vectors>(s, d + j * kTileRows, channels, 0, sums + j * stride, stride);
  }
}

void add_weight_gradients(const Steps& s, const float* d, int64_t d_rows, const float* channels,
                          int64_t count, float* sums) {
  const int64_t stride = padded(count), next = s.at_once * kTileRows;
  for (int64_t c = 0; c < stride;) {
    const int64_t left = (stride - c) / kLanes;
    const float* from = channels + c * next;
    if (left == 3 || left > 4) {
      add_outer_all<3>(s, d, d_rows, from, sums + c, stride);
      c += 3 * kLanes;
    } else if (left >= 2) {
      add_outer_all<2>(s, d, d_rows, from, sums + c, stride);
      c += 2 * kLanes;
    } else {
      add_outer_all<1>(s, d, d_rows, from, sums + c, stride);
      c += kLanes;
    }
  }
}

void add_bias_gradients(const Steps& s, const float* d, int64_t d_rows, float* sums) {
  for (int64_t j = 0; j < d_rows; ++j) {
    Vec sum = load(sums + j * kLanes);
    for (int64_t step = 0; step < s.count; ++step) {
      LIMBECK_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sum += load(d + step * s.d_size + j * kTileRows + v * kLanes);
      }
    }
    store(sums + j * kLanes, sum);
  }
}

void fill_zeros(float* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = 0;
}

/// One tile's way back, and the memory for it.
class Sweep {
 public:
  Sweep(const GruBackward& pass, int64_t tile, float* sums, float* scratch)
      : pass_(pass),
        tile_(tile),
        x_rows_(pass.x_place, tile, pass.shape.rows),
        y_rows_(pass.y_place, tile, pass.shape.rows),
        dy_rows_(pass.dy_place, tile, pass.shape.rows),
        dx_rows_(pass.dx_place, tile, pass.shape.rows),
        start_rows_({0, 0, pass.shape.units, pass.shape.rows}, tile, pass.shape.rows),
        state_(pass.shape.units * kTileRows),
        steps_{0, steps_at_once(pass.shape), 4 * state_},
        sums_(sums) {
    const auto take = [&](int64_t n) {
      float* p = scratch;
      scratch += n;
      return p;
    };
    d_ = take(steps_.at_once * steps_.d_size);
    x_copy_ = take(steps_.at_once * kTileRows * padded(pass.shape.inputs));
    before_copy_ = take(steps_.at_once * kTileRows * padded(pass.shape.units));
    carry_ = take(state_);
    dy_ = take(state_);
    before_ = take(state_);
    dx_ = take(pass.shape.inputs * kTileRows);
  }

  void run() {
    fill_zeros(carry_, state_);
    for (int64_t i = pass_.shape.steps - 1; i >= 0; --i) {
      step(i);
      if (steps_.count == steps_.at_once || i == 0) add_to_sums();
    }
    if (pass_.dstart != nullptr) {
      store_tile<false>(carry_, start_rows_, pass_.shape.units, pass_.dstart);
    }
  }

 private:
  void step(int64_t i) {
    const auto& s = pass_.shape;
    const int64_t t = pass_.reverse ? s.steps - 1 - i : i;
    float* d = d_ + steps_.count * steps_.d_size;
    load_tile(pass_.dy + t * pass_.dy_place.step, dy_rows_, s.units, dy_);
    load_before(i, t);
    copy_rows(pass_.x + t * pass_.x_place.step, x_rows_, s.inputs, steps_.at_once * kTileRows,
              x_copy_ + steps_.count * kTileRows * kLanes);
    differentiate(pass_.gates + (tile_ * s.steps + t) * 4 * state_, before_, dy_, s.units, carry_,
                  d);
    if (pass_.dx != nullptr) {
      fill_zeros(dx_, s.inputs * kTileRows);
      add_back(d, 3 * s.units, pass_.weights, s.inputs, dx_);
      float* to = pass_.dx + t * pass_.dx_place.step;
      if (pass_.add_to_dx) {
        store_tile<true>(dx_, dx_rows_, s.inputs, to);
      } else {
        store_tile<false>(dx_, dx_rows_, s.inputs, to);
      }
    }
    add_back(d + state_, 3 * s.units, pass_.weights + 3 * s.units * s.inputs, s.units, carry_);
    ++steps_.count;
  }

  /// What the units held before step i.
  void load_before(int64_t i, int64_t t) {
    const int64_t units = pass_.shape.units, all = steps_.at_once * kTileRows;
    float* copy = before_copy_ + steps_.count * kTileRows * kLanes;
    if (i > 0) {
      const float* y = pass_.y + (pass_.reverse ? t + 1 : t - 1) * pass_.y_place.step;
      load_tile(y, y_rows_, units, before_);
      copy_rows(y, y_rows_, units, all, copy);
    } else if (pass_.start != nullptr) {
      load_tile(pass_.start, start_rows_, units, before_);
      copy_rows(pass_.start, start_rows_, units, all, copy);
    } else {
      fill_zeros(before_, state_);
      for (int64_t c = 0; c < units; c += kLanes, copy += all * kLanes) {
        fill_zeros(copy, kTileRows * kLanes);
      }
    }
  }

  void add_to_sums() {
    const int64_t units = pass_.shape.units, inputs = pass_.shape.inputs;
    float* hidden = sums_ + 3 * units * padded(inputs);
    add_weight_gradients(steps_, d_, 3 * units, x_copy_, inputs, sums_);
    add_weight_gradients(steps_, d_ + state_, 3 * units, before_copy_, units, hidden);
    add_bias_gradients(steps_, d_, 4 * units, hidden + 3 * units * padded(units));
    steps_.count = 0;
  }

  const GruBackward& pass_;
  const int64_t tile_;
  const TileRows x_rows_, y_rows_, dy_rows_, dx_rows_, start_rows_;
  const int64_t state_;
  Steps steps_;
  float* sums_;
  float *d_, *x_copy_, *before_copy_, *carry_, *dy_, *before_, *dx_;
};

/// PyTorch's gates r, z, n by their places among D.
constexpr int kInputOrder[3] = {2, 0, 1};   // n, r, z
constexpr int kHiddenOrder[3] = {0, 1, 2};  // r, z, n

}  // namespace

void gru_sizes_back(const GruShape& s, GruSizes* sizes) {
  const int64_t steps = steps_at_once(s), inputs = padded(s.inputs), units = padded(s.units);
  sizes->weights_back = 3 * s.units * (s.inputs + s.units);
  sizes->sums = 3 * s.units * (inputs + units) + 4 * s.units * kLanes;
  sizes->scratch_back =
      kTileRows * (steps * (4 * s.units + inputs + units) + 3 * s.units + s.inputs);
}

void gru_pack_back(const GruShape& s, const float* w_input, const float* w_hidden, float* weights) {
  pack_matrix(w_input, s.units, s.inputs, kInputOrder, weights);
  pack_matrix(w_hidden, s.units, s.units, kHiddenOrder, weights + 3 * s.units * s.inputs);
}

void gru_backward(const GruBackward& pass, int64_t first_tile, int64_t end_tile, float* sums,
                  float* scratch) {
  for (int64_t tile = first_tile; tile < end_tile; ++tile) Sweep(pass, tile, sums, scratch).run();
}

void gru_add_sums(const GruShape& s, const float* sums, float* dw_input, float* dw_hidden,
                  float* db_input, float* db_hidden) {
  const int64_t inputs = padded(s.inputs), units = padded(s.units);
  const float* hidden = sums + 3 * s.units * inputs;
  const float* biases = hidden + 3 * s.units * units;
  for (int64_t gate = 0; gate < 3; ++gate) {
    for (int64_t u = 0; u < s.units; ++u) {
      const int64_t row = gate * s.units + u, at_input = kInputOrder[gate] * s.units + u,
                    at_hidden = kHiddenOrder[gate] * s.units + u;
      for (int64_t c = 0; c < s.inputs; ++c)
        dw_input[at_input * s.inputs + c] += sums[row * inputs + c];
      for (int64_t c = 0; c < s.units; ++c)
        dw_hidden[at_hidden * s.units + c] += hidden[row * units + c];
      db_input[at_input] += sum(load(biases + row * kLanes));
      db_hidden[at_hidden] += sum(load(biases + (s.units + row) * kLanes));
    }
  }
}

}  // namespace limbeck::nn::LIMBECK_LEVEL
