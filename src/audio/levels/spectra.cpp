#include "audio/levels/spectra.h"

#include <utility>

#include "limbeck/core/simd.h"

namespace limbeck::LIMBECK_LEVEL {
namespace {

using simd::kLanes;
using simd::load;
using simd::store;
using simd::Vec;

using Indices = std::make_integer_sequence<int, kLanes>;

// A register holds real and imaginary parts in turn.
template <int... i>
LIMBECK_INLINE Vec reals_twice(Vec v, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(v, v, (i & ~1)...);
}
template <int... i>
LIMBECK_INLINE Vec imaginaries_twice(Vec v, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(v, v, (i | 1)...);
}
template <int... i>
LIMBECK_INLINE Vec swapped(Vec v, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(v, v, (i ^ 1)...);
}
/// −1 for real parts, 1 for imaginary ones
template <int... i>
LIMBECK_INLINE Vec signs(std::integer_sequence<int, i...>) {
  return Vec{(i % 2 == 0 ? -1.0F : 1.0F)...};
}
template <int... i>
LIMBECK_INLINE Vec reals(Vec a, Vec b, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(a, b, (2 * i)...);
}
template <int... i>
LIMBECK_INLINE Vec imaginaries(Vec a, Vec b, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(a, b, (2 * i + 1)...);
}

/// `sign` −1: conj(a) · b; 1: a · b
LIMBECK_INLINE void multiply(const float* a, const float* b, float* out, int64_t size, float sign) {
  const float dc = a[0] * b[0], nyquist = a[1] * b[1];
  const Vec flips = sign * signs(Indices());
  for (int64_t k = 0; k < size; k += kLanes) {
    const Vec x = load(a + k), y = load(b + k);
    store(out + k, reals_twice(x, Indices()) * y +
                       flips * (imaginaries_twice(x, Indices()) * swapped(y, Indices())));
  }
  out[0] = dc;
  out[1] = nyquist;
}

void multiply_conjugate(const float* a, const float* b, float* out, int64_t size) {
  multiply(a, b, out, size, -1.0F);
}

void multiply_plain(const float* a, const float* b, float* out, int64_t size) {
  multiply(a, b, out, size, 1.0F);
}

void powers(const float* spectrum, float* out, int64_t size) {
  const float dc = spectrum[0] * spectrum[0];
  for (int64_t k = 0; k < size / 2; k += kLanes) {
    const Vec a = load(spectrum + 2 * k), b = load(spectrum + 2 * k + kLanes);
    const Vec re = reals(a, b, Indices()), im = imaginaries(a, b, Indices());
    store(out + k, re * re + im * im);
  }
  out[0] = dc;
}

void multiply_samples(const float* a, const float* b, float* out, int64_t size) {
  for (int64_t i = 0; i < size; i += kLanes) store(out + i, load(a + i) * load(b + i));
}

}  // namespace

const SpectrumKernels spectra = {multiply_conjugate, multiply_plain, powers, multiply_samples};

}  // namespace limbeck::LIMBECK_LEVEL
