#include "nn/levels/gru.h"

#include "nn/levels/gru_tile.h"

// Legend: U units, K inputs and then units, R rows of a tile.
//
// Packed weights: for each two units (one, where one is left) [K][r, z, n][those units], then the
// biases [U][r, z, n of the input, n of the unit], of which those of r and z are sums.
// Gates that are kept: [step][U][r, z, n, what r multiplies][R].

namespace limbeck::nn::LIMBECK_LEVEL {
namespace {

int64_t rows_of_weights(const GruShape& s) { return s.inputs + s.units; }

void sizes(const GruShape& s, GruSizes* sizes) {
  sizes->tile_rows = kTileRows;
  sizes->weights = s.units * (3 * rows_of_weights(s) + 4);
  sizes->gates = s.steps * s.units * 4 * kTileRows;
  sizes->scratch = (s.inputs + 2 * s.units) * kTileRows;
  gru_sizes_back(s, sizes);
}

void pack(const GruShape& s, const float* w_input, const float* w_hidden, const float* b_input,
          const float* b_hidden, float* weights) {
  const int64_t units = s.units;
  for (int64_t u = 0; u < units; u += kUnits) {
    const int64_t count = smaller(kUnits, units - u);
    float* to = weights + u * 3 * rows_of_weights(s);
    for (int64_t gate = 0; gate < 3; ++gate) {
      for (int64_t j = 0; j < count; ++j) {
        const int64_t row = gate * units + u + j;
        float* p = to + gate * count + j;
        for (int64_t k = 0; k < s.inputs; ++k, p += 3 * count) *p = w_input[row * s.inputs + k];
        for (int64_t k = 0; k < units; ++k, p += 3 * count) *p = w_hidden[row * units + k];
      }
    }
  }
  float* bias = weights + units * 3 * rows_of_weights(s);
  for (int64_t u = 0; u < units; ++u, bias += 4) {
    bias[0] = b_input[u] + b_hidden[u];
    bias[1] = b_input[units + u] + b_hidden[units + u];
    bias[2] = b_input[2 * units + u];
    bias[3] = b_hidden[2 * units + u];
  }
}

/// One step of one tile.
struct Step {
  int64_t inputs, units;
  const float* weights;
  const float* bias;
  const float* x;       // [inputs][R]
  const float* before;  // [units][R]
  float* after;
  float* gates;  // of this step, or null
};

/// Sums of products of `count` channels with the weights of r, z and n; moves `w` on.
template <int units, int vectors>
LIMBECK_INLINE void add_products(const float* channels, int64_t count, int64_t next_block,
                                 const float*& w, Vec (&r)[units][vectors],
                                 Vec (&z)[units][vectors], Vec (&n)[units][vectors]) {
  constexpr int block = units < kUnits ? units : kUnits;
  for (int64_t k = 0; k < count; ++k, w += 3 * block, channels += kTileRows) {
    Vec c[vectors];
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) c[v] = load(channels + v * kLanes);
    // A weight at a time: there is one register for them.
    const auto add = [&](Vec(&sums)[units][vectors], int gate) __attribute__((always_inline)) {
      LIMBECK_UNROLL
      for (int u = 0; u < units; ++u) {
        const Vec b = broadcast(w[u / block * next_block + gate * block + u % block]);
        LIMBECK_UNROLL
        for (int v = 0; v < vectors; ++v) sums[u][v] += b * c[v];
      }
    };
    add(r, 0);
    add(z, 1);
    add(n, 2);
  }
}

/// `units` units from `first` on, of rows in `vectors` registers.
template <int units, int vectors>
LIMBECK_INLINE void run_units(const Step& s, int64_t first) {
  const int64_t depth = s.inputs + s.units;
  const float* w = s.weights + first * 3 * depth;
  const int64_t next_block = 3 * kUnits * depth;
  Vec r[units][vectors], z[units][vectors], n[units][vectors], m[units][vectors];
  LIMBECK_UNROLL
  for (int u = 0; u < units; ++u) {
    const float* b = s.bias + (first + u) * 4;
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) {
      r[u][v] = broadcast(b[0]);
      z[u][v] = broadcast(b[1]);
      n[u][v] = broadcast(b[2]);
      m[u][v] = broadcast(b[3]);
    }
  }
  add_products<units, vectors>(s.x, s.inputs, next_block, w, r, z, n);
  add_products<units, vectors>(s.before, s.units, next_block, w, r, z, m);
  // All of one kind together: the chains of operations are long, and wait for nothing but
  // themselves.
  LIMBECK_UNROLL
  for (int u = 0; u < units; ++u) {
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) {
      r[u][v] = sigmoid(r[u][v]);
      n[u][v] += r[u][v] * m[u][v];
      if (s.gates == nullptr) continue;
      float* g = s.gates + (first + u) * 4 * kTileRows + v * kLanes;
      store(g, r[u][v]);
      store(g + 3 * kTileRows, m[u][v]);
    }
  }
  LIMBECK_UNROLL
  for (int u = 0; u < units; ++u) {
    LIMBECK_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const int64_t at = (first + u) * kTileRows + v * kLanes;
      const Vec keep = sigmoid(z[u][v]), fresh = tanh(n[u][v]);
      store(s.after + at, fresh + keep * (load(s.before + at) - fresh));
      if (s.gates == nullptr) continue;
      float* g = s.gates + (first + u) * 4 * kTileRows + v * kLanes;
      store(g + kTileRows, keep);
      store(g + 2 * kTileRows, fresh);
    }
  }
}

void run_step(const Step& s) {
  int64_t u = 0;
  for (; u + kUnits <= s.units; u += kUnits) run_units<kUnits, kVectors>(s, u);
  for (; u < s.units; ++u) run_units<1, kVectors>(s, u);
}

/// Where the rows fill no more than one register; as many sums at once by more units.
void run_step_of_few(const Step& s) {
  int64_t u = 0;
  for (; u + 2 * kUnits <= s.units; u += 2 * kUnits) run_units<2 * kUnits, 1>(s, u);
  for (; u + kUnits <= s.units; u += kUnits) run_units<kUnits, 1>(s, u);
  for (; u < s.units; ++u) run_units<1, 1>(s, u);
}

void forward(const GruForward& pass, int64_t first_tile, int64_t end_tile, float* scratch) {
  const auto& shape = pass.shape;
  const int64_t state = shape.units * kTileRows;
  float* x = scratch;
  float* before = x + shape.inputs * kTileRows;
  float* after = before + state;
  const GruPlace start_place = {0, 0, shape.units, shape.rows};
  for (int64_t tile = first_tile; tile < end_tile; ++tile) {
    const TileRows x_rows(pass.x_place, tile, shape.rows), y_rows(pass.y_place, tile, shape.rows);
    if (pass.start == nullptr) {
      for (int64_t i = 0; i < state; ++i) before[i] = 0;
    } else {
      load_tile(pass.start, TileRows(start_place, tile, shape.rows), shape.units, before);
    }
    float* gates = pass.gates == nullptr ? nullptr : pass.gates + tile * shape.steps * 4 * state;
    for (int64_t i = 0; i < shape.steps; ++i) {
      const int64_t t = pass.reverse ? shape.steps - 1 - i : i;
      load_tile(pass.x + t * pass.x_place.step, x_rows, shape.inputs, x);
      const Step step = {shape.inputs,
                         shape.units,
                         pass.weights,
                         pass.weights + shape.units * 3 * rows_of_weights(shape),
                         x,
                         before,
                         after,
                         gates == nullptr ? nullptr : gates + t * 4 * state};
      if (x_rows.valid <= kLanes && gates == nullptr) {
        run_step_of_few(step);
      } else {
        run_step(step);
      }
      store_tile<false>(after, y_rows, shape.units, pass.y + t * pass.y_place.step);
      float* other = before;
      before = after;
      after = other;
    }
  }
}

void gate_functions(const float* x, float* sigmoids, float* tanhs, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = smaller(kLanes, n - i);
    if (count == kLanes) {
      store(sigmoids + i, sigmoid(load(x + i)));
      store(tanhs + i, tanh(load(x + i)));
      continue;
    }
    const Vec v = load_some(x + i, count);
    store_some(sigmoids + i, sigmoid(v), count);
    store_some(tanhs + i, tanh(v), count);
  }
}

}  // namespace

const GruKernels gru = {sizes,        pack,         gru_pack_back, forward,
                        gru_backward, gru_add_sums, gate_functions};

}  // namespace limbeck::nn::LIMBECK_LEVEL
