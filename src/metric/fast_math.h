#pragma once
// Powers in single precision that the compiler can vectorize; relative error below 1e-6 for
// results between 1e-30 and 1e30.

#include <bit>
#include <cstdint>

namespace limbeck::metric {

/// log2 of a normal positive number: mantissa in [sqrt(1/2), sqrt(2)), atanh series.
inline float fast_log2(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x) - 0x3f3504f3;  // sqrt(1/2)
  const std::int32_t exponent = bits >> 23;
  const float m = std::bit_cast<float>((bits & 0x7fffff) + 0x3f3504f3);
  const float s = (m - 1.0f) / (m + 1.0f);
  const float s2 = s * s;
  // 2 / ln 2 * (1, 1/3, 1/5, 1/7, 1/9)
  const float series =
      2.88539008f +
      s2 * (0.961796694f + s2 * (0.577078016f + s2 * (0.412198583f + s2 * 0.320598898f)));
  return static_cast<float>(exponent) + s * series;
}

/// 2^x for x in [-126, 126], clamped outside.
inline float fast_exp2(float x) {
  x = x < -126.0f ? -126.0f : x;
  x = x > 126.0f ? 126.0f : x;
  const float shifted = x + 12582912.0f;  // 1.5 * 2^23 rounds to the nearest integer
  const float whole = shifted - 12582912.0f;
  const float f = x - whole;
  // Taylor series of 2^f, |f| <= 1/2
  const float series =
      1.0f +
      f * (0.693147181f +
           f * (0.240226507f +
                f * (0.0555041087f +
                     f * (0.00961812911f +
                          f * (0.00133335581f + f * (0.000154035304f + f * 0.0000152527338f))))));
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - 0x4b400000;
  return series * std::bit_cast<float>((exponent + 127) << 23);
}

/// x^y for normal positive x.
inline float fast_pow(float x, float y) { return fast_exp2(y * fast_log2(x)); }

}  // namespace limbeck::metric
