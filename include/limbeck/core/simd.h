#pragma once

// Vectors of float for the files under src/*/levels, which are compiled once for each CpuLevel: as
// wide as the level's registers, in the compiler's own vector types, so that operators are plain
// ones. Everything is inlined and lies in the level's namespace: a function that the linker may
// take from another level's file would bring its instructions to processors that lack them.

#ifndef LIMBECK_LEVEL
#error "for files under src/*/levels only"
#endif

#include <cstdint>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#define LIMBECK_INLINE inline __attribute__((always_inline))

/// Before a loop over registers, which have no index.
#if defined(__clang__)
#define LIMBECK_UNROLL _Pragma("unroll")
#else
#define LIMBECK_UNROLL _Pragma("GCC unroll 16")
#endif

/// The numbers of `a` and, behind them, `b`, by their places. GCC 11 lacks the one, clang the
/// other.
#if defined(__clang__)
#define LIMBECK_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LIMBECK_SHUFFLE(a, b, ...) \
  __builtin_shuffle(a, b, ::limbeck::LIMBECK_LEVEL::simd::IntVec{__VA_ARGS__})
#endif

namespace limbeck::LIMBECK_LEVEL {
namespace simd {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr int kRegisters = kLanes == 16 ? 32 : 16;

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t IntVec __attribute__((vector_size(kLanes * sizeof(float))));

LIMBECK_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
LIMBECK_INLINE void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
LIMBECK_INLINE Vec broadcast(float x) { return x - Vec{}; }
// One instruction, where compilers make two of a choice; b where one of them is no number.
#if defined(__AVX512F__)
// GCC 12 warns of the plain ones' own code.
LIMBECK_INLINE Vec min(Vec a, Vec b) { return _mm512_maskz_min_ps(0xffff, a, b); }
LIMBECK_INLINE Vec max(Vec a, Vec b) { return _mm512_maskz_max_ps(0xffff, a, b); }
#elif defined(__AVX__)
LIMBECK_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
LIMBECK_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
#else
LIMBECK_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }
LIMBECK_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
#endif

// load_some: the first `n` numbers, n < kLanes; zeros behind.
#if defined(__AVX512F__)
LIMBECK_INLINE __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1U << n) - 1); }
LIMBECK_INLINE Vec load_some(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
LIMBECK_INLINE void store_some(float* p, Vec v, int64_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), v);
}
#elif defined(__AVX__)
LIMBECK_INLINE __m256i first_lanes(int64_t n) {
  return (__m256i)(IntVec{0, 1, 2, 3, 4, 5, 6, 7} < ((IntVec){} + static_cast<int32_t>(n)));
}
LIMBECK_INLINE Vec load_some(const float* p, int64_t n) {
  return _mm256_maskload_ps(p, first_lanes(n));
}
LIMBECK_INLINE void store_some(float* p, Vec v, int64_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), v);
}
#else
LIMBECK_INLINE Vec load_some(const float* p, int64_t n) {
  float all[kLanes] = {};
  for (int64_t i = 0; i < n; ++i) all[i] = p[i];
  return load(all);
}
LIMBECK_INLINE void store_some(float* p, Vec v, int64_t n) {
  float all[kLanes];
  store(all, v);
  for (int64_t i = 0; i < n; ++i) p[i] = all[i];
}
#endif
LIMBECK_INLINE float sum(Vec v) {
  float all[kLanes];
  store(all, v);
  for (int n = kLanes / 2; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) all[i] += all[i + n];
  }
  return all[0];
}

/// e^x; relative error below 2e-7 between −87 and 88, where x is held; a NaN stays one.
LIMBECK_INLINE Vec exp(Vec x) {
  x = min(broadcast(88.0F), max(broadcast(-87.0F), x));
  const Vec rounder = broadcast(12582912.0F);  // 1.5 · 2^23: what is added to it becomes whole
  const Vec shifted = x * 1.44269504088896341F + rounder;
  const Vec n = shifted - rounder;
  // x − n · ln 2 in two parts, so that no digits are lost.
  const Vec r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Vec p = broadcast(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const Vec y = p * (r * r) + r + 1.0F;
  const IntVec power = ((IntVec)shifted - 0x4b400000 + 127) << 23;
  return y * (Vec)power;
}

/// 1 / (1 + e^−x); absolute error below 1e-7.
LIMBECK_INLINE Vec sigmoid(Vec x) { return 1.0F / (1.0F + exp(-x)); }

/// Absolute error below 2e-7; of the sign of x.
LIMBECK_INLINE Vec tanh(Vec x) { return 2.0F / (1.0F + exp(-2.0F * x)) - 1.0F; }

}  // namespace simd
}  // namespace limbeck::LIMBECK_LEVEL
