#include "metric/levels/pesq_bands.h"

#include "limbeck/core/simd.h"

namespace limbeck::metric::pesq::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;
using simd::IntVec;
using simd::kLanes;
using simd::load;
using simd::Vec;

// Powers in single precision; relative error below 1e-6 for results between 1e-30 and 1e30.

/// log2 of a normal positive number: mantissa in [sqrt(1/2), sqrt(2)), atanh series.
LIMBECK_INLINE Vec log2(Vec x) {
  const IntVec bits = (IntVec)x - 0x3f3504f3;  // sqrt(1/2)
  const Vec exponent = __builtin_convertvector(bits >> 23, Vec);
  const Vec m = (Vec)((bits & 0x7fffff) + 0x3f3504f3);
  const Vec s = (m - 1.0F) / (m + 1.0F);
  const Vec s2 = s * s;
  // 2 / ln 2 * (1, 1/3, 1/5, 1/7, 1/9)
  const Vec series =
      2.88539008F +
      s2 * (0.961796694F + s2 * (0.577078016F + s2 * (0.412198583F + s2 * 0.320598898F)));
  return exponent + s * series;
}

/// 2^x for x in [-126, 126], clamped outside.
LIMBECK_INLINE Vec exp2(Vec x) {
  x = simd::min(simd::max(x, simd::broadcast(-126.0F)), simd::broadcast(126.0F));
  const Vec shifted = x + 12582912.0F;  // 1.5 * 2^23 rounds to the nearest integer
  const Vec f = x - (shifted - 12582912.0F);
  // Taylor series of 2^f, |f| <= 1/2
  const Vec series =
      1.0F +
      f * (0.693147181F +
           f * (0.240226507F +
                f * (0.0555041087F +
                     f * (0.00961812911F +
                          f * (0.00133335581F + f * (0.000154035304F + f * 0.0000152527338F))))));
  return series * (Vec)(((IntVec)shifted - 0x4b400000 + 127) << 23);
}

LIMBECK_INLINE Vec pow(Vec x, Vec y) { return exp2(y * log2(x)); }

LIMBECK_INLINE Vec loudness(const BandTables& t, Vec power, int64_t b) {
  const Vec ratio = 0.5F + 0.5F * power * load(t.inverse_threshold + b);
  const Vec value = load(t.factor + b) * (pow(ratio, load(t.exponent + b)) - 1.0F);
  return power > load(t.threshold + b) ? value : Vec{};
}

DisturbanceSums disturbance(const BandTables& tables, const float* reference,
                            const float* degraded) {
  const BandTables t = tables;
  Vec squared = {}, weighted = {};
  for (int64_t b = 0; b < t.count; b += kLanes) {
    const Vec x = load(reference + b), y = load(degraded + b);
    const Vec x_loudness = loudness(t, x, b), y_loudness = loudness(t, y, b);
    const Vec difference = y_loudness - x_loudness;
    // Dead zone of a quarter of the smaller loudness (04 4.1); only the size matters from here.
    const Vec magnitude =
        simd::max(difference, -difference) - 0.25F * simd::min(x_loudness, y_loudness);
    const Vec d = simd::max(magnitude, Vec{}) * load(t.width + b);
    squared += d * d;
    // What was added disturbs more than what is missing (04 4.3).
    const Vec asymmetry =
        simd::min(pow((y + 50.0F) / (x + 50.0F), simd::broadcast(1.2F)), simd::broadcast(12.0F));
    weighted += d * (asymmetry < 3.0F ? Vec{} : asymmetry);
  }
  return {simd::sum(squared), simd::sum(weighted)};
}

float audible_power(const BandTables& t, const float* bands, float factor) {
  Vec sum = {};
  for (int64_t b = 0; b < t.count; b += kLanes) {
    const Vec power = load(bands + b);
    sum += power > factor * load(t.threshold + b) ? power : Vec{};
  }
  return simd::sum(sum);
}

}  // namespace

const BandKernels bands = {disturbance, audible_power};

}  // namespace limbeck::metric::pesq::LIMBECK_LEVEL
