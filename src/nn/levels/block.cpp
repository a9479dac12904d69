#include "nn/levels/block.h"

#include "nn/levels/activate.h"

namespace limbeck::nn::LIMBECK_LEVEL {
namespace {

using namespace ::limbeck::LIMBECK_LEVEL::simd;  // NOLINT

LIMBECK_INLINE int64_t padded(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// A number known when this is compiled, as a value.
template <int n>
struct Count {
  static constexpr int value = n;
};

/// Calls body(Count of registers, first number) over a width in panels of three registers; what is
/// left takes two, or one where there is no more: with few registers there are few sums at once,
/// and each waits for its own.
template <class Body>
LIMBECK_INLINE void over_panels(int64_t width, const Body& body) {
  int64_t n = 0;
  for (int64_t left = width / kLanes; left > 0;) {
    if (left == 3 || left > 4) {
      body(Count<3>(), n), n += 3 * kLanes, left -= 3;
    } else if (left > 1) {
      body(Count<2>(), n), n += 2 * kLanes, left -= 2;
    } else {
      body(Count<1>(), n), n += kLanes, left -= 1;
    }
  }
}

/// Sums that a panel of `vecs` registers has at once for each of them, with registers left for what
/// is multiplied.
template <int vecs>
constexpr int kSums = kRegisters == 32 ? 8
                      : vecs == 3      ? 4
                      : vecs == 2      ? 6
                                       : 8;

void load_rows(const float* from, const float* centre, int64_t rows, int64_t channels, float* to) {
  const int64_t width = padded(channels), whole = channels / kLanes * kLanes;
  for (int64_t r = 0; r < rows; ++r, from += channels, to += width) {
    for (int64_t c = 0; c < whole; c += kLanes) {
      const Vec x = load(from + c);
      store(to + c, centre != nullptr ? x - load(centre + c) : x);
    }
    if (whole == channels) continue;
    const Vec x = load_some(from + whole, channels - whole);
    store(to + whole, centre != nullptr ? x - load_some(centre + whole, channels - whole) : x);
  }
}

void store_rows(const float* from, const float* add, int64_t rows, int64_t channels, float* to) {
  const int64_t width = padded(channels), whole = channels / kLanes * kLanes,
                some = channels - whole;
  for (int64_t r = 0; r < rows; ++r, from += width, to += channels) {
    for (int64_t c = 0; c < whole; c += kLanes) {
      const Vec x = load(from + c);
      store(to + c, add != nullptr ? x + load(add + c) : x);
    }
    if (some > 0) {
      const Vec x = load(from + whole);
      store_some(to + whole, add != nullptr ? x + load_some(add + whole, some) : x, some);
    }
    if (add != nullptr) add += channels;
  }
}

void pack(const float* matrix, int64_t depth, int64_t width, float* packed) {
  over_panels(width, [&](auto vecs, int64_t first) {
    constexpr int kNumbers = decltype(vecs)::value * kLanes;
    for (int64_t k = 0; k < depth; ++k, packed += kNumbers) {
      for (int i = 0; i < kNumbers; ++i) packed[i] = matrix[k * width + first + i];
    }
  });
}

template <Activate activate, int rows, int vecs>
LIMBECK_INLINE void multiply_rows(const float* x, int64_t x_width, int64_t depth, const float* w,
                                  const float* start, const float* slope, int64_t width, float* y) {
  Vec sum[rows][vecs];
  LIMBECK_UNROLL
  for (int v = 0; v < vecs; ++v) {
    const Vec from = load(start + v * kLanes);
    LIMBECK_UNROLL
    for (int r = 0; r < rows; ++r) sum[r][v] = from;
  }
  for (int64_t k = 0; k < depth; ++k, w += vecs * kLanes) {
    Vec weights[vecs];
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) weights[v] = load(w + v * kLanes);
    LIMBECK_UNROLL
    for (int r = 0; r < rows; ++r) {
      const Vec one = broadcast(x[r * x_width + k]);
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) sum[r][v] += one * weights[v];
    }
  }
  LIMBECK_UNROLL
  for (int v = 0; v < vecs; ++v) {
    const Vec slopes = activate == Activate::prelu ? load(slope + v * kLanes) : Vec{};
    LIMBECK_UNROLL
    for (int r = 0; r < rows; ++r) {
      store(y + r * width + v * kLanes, activated<activate>(sum[r][v], slopes));
    }
  }
}

template <Activate activate>
void multiply_as(const float* x, int64_t x_width, int64_t depth, const float* packed,
                 const float* start, const float* slope, int64_t rows, int64_t width, float* y) {
  over_panels(width, [&](auto count, int64_t first) {
    constexpr int vecs = decltype(count)::value, at_once = kSums<vecs>;
    const float* slopes = activate == Activate::prelu ? slope + first : nullptr;
    int64_t r = 0;
    for (; r + at_once <= rows; r += at_once) {
      multiply_rows<activate, at_once, vecs>(x + r * x_width, x_width, depth, packed, start + first,
                                             slopes, width, y + r * width + first);
    }
    for (; r < rows; ++r) {
      multiply_rows<activate, 1, vecs>(x + r * x_width, x_width, depth, packed, start + first,
                                       slopes, width, y + r * width + first);
    }
    packed += depth * vecs * kLanes;
  });
}

void multiply(Activate activate, const float* x, int64_t x_width, int64_t depth,
              const float* packed, const float* start, const float* slope, int64_t rows,
              int64_t width, float* y) {
  with(activate, [&]<Activate kind>(As<kind>) {
    multiply_as<kind>(x, x_width, depth, packed, start, slope, rows, width, y);
  });
}

template <int numbers, int vecs>
LIMBECK_INLINE void add_outer_rows(const float* x, int64_t x_width, const float* y, int64_t rows,
                                   int64_t width, float* sums) {
  Vec sum[numbers][vecs];
  LIMBECK_UNROLL
  for (int i = 0; i < numbers; ++i) {
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) sum[i][v] = load(sums + i * width + v * kLanes);
  }
  for (int64_t r = 0; r < rows; ++r, x += x_width, y += width) {
    Vec row[vecs];
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) row[v] = load(y + v * kLanes);
    LIMBECK_UNROLL
    for (int i = 0; i < numbers; ++i) {
      const Vec one = broadcast(x[i]);
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) sum[i][v] += one * row[v];
    }
  }
  LIMBECK_UNROLL
  for (int i = 0; i < numbers; ++i) {
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) store(sums + i * width + v * kLanes, sum[i][v]);
  }
}

void add_outer(const float* x, int64_t x_width, int64_t depth, const float* y, int64_t rows,
               int64_t width, float* sums) {
  over_panels(width, [&](auto count, int64_t first) {
    constexpr int vecs = decltype(count)::value, at_once = kSums<vecs>;
    int64_t k = 0;
    const auto some = [&](auto numbers) __attribute__((always_inline)) {
      constexpr int n = decltype(numbers)::value;
      for (; k + n <= depth; k += n) {
        add_outer_rows<n, vecs>(x + k, x_width, y + first, rows, width, sums + k * width + first);
      }
    };
    some(Count<at_once>());
    if constexpr (at_once > 4) some(Count<4>());
    some(Count<2>());
    some(Count<1>());
  });
}

typedef double Doubles __attribute__((vector_size(kLanes * sizeof(float))));
constexpr int kDoubles = kLanes / 2;

LIMBECK_INLINE Doubles load_doubles(const double* p) {
  Doubles v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
LIMBECK_INLINE void store_doubles(double* p, Doubles v) { __builtin_memcpy(p, &v, sizeof v); }

/// Of `numbers` numbers of a row with two registers of it.
template <int numbers>
LIMBECK_INLINE void add_product_rows(const double* x, const double* y, int64_t rows, int64_t width,
                                     double* sums) {
  Doubles sum[numbers][2];
  LIMBECK_UNROLL
  for (int i = 0; i < numbers; ++i) {
    sum[i][0] = load_doubles(sums + i * width),
    sum[i][1] = load_doubles(sums + i * width + kDoubles);
  }
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    const Doubles a = load_doubles(y), b = load_doubles(y + kDoubles);
    LIMBECK_UNROLL
    for (int i = 0; i < numbers; ++i) {
      const Doubles one = x[i] - Doubles{};
      sum[i][0] += one * a;
      sum[i][1] += one * b;
    }
  }
  LIMBECK_UNROLL
  for (int i = 0; i < numbers; ++i) {
    store_doubles(sums + i * width, sum[i][0]),
        store_doubles(sums + i * width + kDoubles, sum[i][1]);
  }
}

void add_products(const float* x, int64_t rows, int64_t channels, double* scratch, double* sums) {
  const int64_t width = padded(channels);
  for (int64_t i = 0; i < rows * width; ++i) scratch[i] = x[i];
  for (int64_t first = 0; first < width; first += kLanes) {
    const int64_t end = first + kLanes < channels ? first + kLanes : channels;
    int64_t c = 0;
    const auto some = [&](auto numbers) __attribute__((always_inline)) {
      constexpr int n = decltype(numbers)::value;
      for (; c + n <= end; c += n) {
        add_product_rows<n>(scratch + c, scratch + first, rows, width, sums + c * width + first);
      }
    };
    some(Count<kSums<2>>());
    some(Count<2>());
    some(Count<1>());
  }
}

void moments(const float* x, int64_t rows, int64_t width, float* mean, float* rest, float* square) {
  over_panels(width, [&](auto count, int64_t first) {
    constexpr int vecs = decltype(count)::value;
    const float* in = x + first;
    Vec sum[vecs] = {};
    for (int64_t r = 0; r < rows; ++r) {
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) sum[v] += load(in + r * width + v * kLanes);
    }
    Vec centre[vecs], left[vecs] = {}, squares[vecs] = {};
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) centre[v] = sum[v] / static_cast<float>(rows);
    for (int64_t r = 0; r < rows; ++r) {
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) {
        const Vec d = load(in + r * width + v * kLanes) - centre[v];
        left[v] += d;
        squares[v] += d * d;
      }
    }
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) {
      store(mean + first + v * kLanes, centre[v]);
      store(rest + first + v * kLanes, left[v]);
      store(square + first + v * kLanes, squares[v]);
    }
  });
}

template <Activate activate>
void activate_as(const float* x, const RowAffine& affine, int64_t rows, int64_t width, float* y) {
  over_panels(width, [&](auto count, int64_t first) {
    constexpr int vecs = decltype(count)::value;
    Vec scale[vecs], shift[vecs], slope[vecs];
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) {
      scale[v] = load(affine.scale + first + v * kLanes);
      shift[v] = load(affine.shift + first + v * kLanes);
      slope[v] = activate == Activate::prelu ? load(affine.slope + first + v * kLanes) : Vec{};
    }
    for (int64_t r = 0; r < rows; ++r) {
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) {
        const int64_t at = r * width + first + v * kLanes;
        store(y + at, activated<activate>(load(x + at) * scale[v] + shift[v], slope[v]));
      }
    }
  });
}

void activate_rows(Activate activate, const float* x, const RowAffine& affine, int64_t rows,
                   int64_t width, float* y) {
  with(activate, [&]<Activate kind>(As<kind>) { activate_as<kind>(x, affine, rows, width, y); });
}

template <Activate activate, int vecs>
LIMBECK_INLINE void differentiate_columns(const float* dy, const float* x, const RowAffine& affine,
                                          const float* mean, int64_t rows, int64_t width,
                                          int64_t first, float* y, float* g, const RowSums& sums) {
  Vec scale[vecs], shift[vecs], centre[vecs], slope[vecs];
  Vec sum[vecs] = {}, sum_x[vecs] = {}, sum_slope[vecs] = {};
  LIMBECK_UNROLL
  for (int v = 0; v < vecs; ++v) {
    const int64_t c = first + v * kLanes;
    scale[v] = load(affine.scale + c), shift[v] = load(affine.shift + c);
    centre[v] = load(mean + c);
    slope[v] = activate == Activate::prelu ? load(affine.slope + c) : Vec{};
  }
  for (int64_t r = 0, at = first; r < rows; ++r, at += width) {
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) {
      const Vec in = load(x + at + v * kLanes), out = load(dy + at + v * kLanes),
                z = in * scale[v] + shift[v], grad = before_activation<activate>(out, z, slope[v]);
      store(y + at + v * kLanes, activated<activate>(z, slope[v]));
      store(g + at + v * kLanes, grad);
      sum[v] += grad;
      sum_x[v] += grad * (in - centre[v]);
      if (activate == Activate::prelu) sum_slope[v] += out * (z > 0.0F ? Vec{} : z);
    }
  }
  LIMBECK_UNROLL
  for (int v = 0; v < vecs; ++v) {
    const int64_t c = first + v * kLanes;
    store(sums.grad + c, load(sums.grad + c) + sum[v]);
    store(sums.grad_x + c, load(sums.grad_x + c) + sum_x[v]);
    if (activate == Activate::prelu) store(sums.slope + c, load(sums.slope + c) + sum_slope[v]);
  }
}

template <Activate activate>
void differentiate_as(const float* dy, const float* x, const RowAffine& affine, const float* mean,
                      int64_t rows, int64_t width, float* y, float* g, const RowSums& sums) {
  int64_t c = 0;
  for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
    differentiate_columns<activate, 2>(dy, x, affine, mean, rows, width, c, y, g, sums);
  }
  if (c < width) {
    differentiate_columns<activate, 1>(dy, x, affine, mean, rows, width, c, y, g, sums);
  }
}

void differentiate(Activate activate, const float* dy, const float* x, const RowAffine& affine,
                   const float* mean, int64_t rows, int64_t width, float* y, float* g,
                   const RowSums& sums) {
  with(activate, [&]<Activate kind>(As<kind>) {
    differentiate_as<kind>(dy, x, affine, mean, rows, width, y, g, sums);
  });
}

void combine(const float* g, const float* x, const float* scale, const float* factor,
             const float* offset, int64_t rows, int64_t width, float* y) {
  over_panels(width, [&](auto count, int64_t first) {
    constexpr int vecs = decltype(count)::value;
    Vec a[vecs], b[vecs], c[vecs];
    LIMBECK_UNROLL
    for (int v = 0; v < vecs; ++v) {
      a[v] = load(scale + first + v * kLanes);
      b[v] = load(factor + first + v * kLanes);
      c[v] = load(offset + first + v * kLanes);
    }
    for (int64_t r = 0; r < rows; ++r) {
      LIMBECK_UNROLL
      for (int v = 0; v < vecs; ++v) {
        const int64_t at = r * width + first + v * kLanes;
        store(y + at, load(g + at) * a[v] + load(x + at) * b[v] + c[v]);
      }
    }
  });
}

}  // namespace

const BlockKernels block = {kLanes,        load_rows,     store_rows,   pack,
                            multiply,      add_outer,     add_products, moments,
                            activate_rows, differentiate, combine};

}  // namespace limbeck::nn::LIMBECK_LEVEL
