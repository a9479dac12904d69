#include "metric/levels/stoi_segment.h"

#include "limbeck/core/simd.h"

namespace limbeck::metric::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;

constexpr int kWide = simd::kLanes / 2;
constexpr int kParts = kStoiStride / kWide;
typedef float Half __attribute__((vector_size(kWide * sizeof(float))));
typedef double Doubles __attribute__((vector_size(kWide * sizeof(double))));

constexpr double kEpsilon = 0x1p-52;
constexpr double kClip = 1.0 + 5.623413251903491;  // 1 + 10^(−beta / 20), beta of eq. (3): −15 dB
constexpr double kRounding = 1e-24;                // relative, squared

/// Some bands of all frames.
struct Strip {
  Doubles frames[kStoiSegment];
};

LIMBECK_INLINE void load(const float* from, Strip& strip) {
  for (int n = 0; n < kStoiSegment; ++n) {
    Half half;
    __builtin_memcpy(&half, from + n * kStoiStride, sizeof half);
    strip.frames[n] = __builtin_convertvector(half, Doubles);
  }
}

LIMBECK_INLINE Doubles root(Doubles v) {
  for (int i = 0; i < kWide; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
}

LIMBECK_INLINE double sum_of(Doubles v) {
  double sum = v[0];
  for (int i = 1; i < kWide; ++i) sum += v[i];
  return sum;
}

/// Σ (x − its mean) (y − its mean) over time, and of both squares.
struct Products {
  Doubles x_mean, y_mean, xx, yy, xy;
};

LIMBECK_INLINE Products products_of(const Strip& x, const Strip& y) {
  Products p{};
  for (int n = 0; n < kStoiSegment; ++n) {
    p.x_mean += x.frames[n];
    p.y_mean += y.frames[n];
  }
  p.x_mean /= kStoiSegment;
  p.y_mean /= kStoiSegment;
  for (int n = 0; n < kStoiSegment; ++n) {
    const Doubles a = x.frames[n] - p.x_mean, b = y.frames[n] - p.y_mean;
    p.xx += a * a;
    p.yy += b * b;
    p.xy += a * b;
  }
  return p;
}

/// Correlations of bands of the clean signal with the scaled and clipped estimate, eq. (3) to (5).
LIMBECK_INLINE Doubles intelligibility(const Strip& x, const Strip& y, Doubles x_power,
                                       Doubles y_power) {
  const Doubles scale = root(x_power) / (root(y_power) + kEpsilon);
  Strip clipped;
  for (int n = 0; n < kStoiSegment; ++n) {
    const Doubles scaled = y.frames[n] * scale, limit = x.frames[n] * kClip;
    clipped.frames[n] = scaled < limit ? scaled : limit;
  }
  const Products p = products_of(x, clipped);
  return p.xy / ((root(p.xx) + kEpsilon) * (root(p.yy) + kEpsilon));
}

/// Zero mean and unit norm over time for each band, ESTOI eq. (3). Bands that hold nothing beyond
/// rounding become zero, as do frames below; a stretch with one frame of sound, for example, has
/// equal rows, so that nothing is left of its columns.
LIMBECK_INLINE void normalize(Strip& strip, Doubles mean, Doubles centred, Doubles power) {
  const Doubles scale = centred > kRounding * power ? 1.0 / root(centred) : Doubles{};
  for (Doubles& frame : strip.frames) frame = (frame - mean) * scale;
}

/// The same over the bands for each frame, eq. (4), and the sum of what both frames share.
LIMBECK_INLINE double correlate_frame(const Strip* x, const Strip* y, int n) {
  Doubles x_sum = {}, y_sum = {};
  for (int part = 0; part < kParts; ++part) {
    x_sum += x[part].frames[n];
    y_sum += y[part].frames[n];
  }
  const double x_mean = sum_of(x_sum) / kStoiBands, y_mean = sum_of(y_sum) / kStoiBands;
  Doubles xx = {}, yy = {}, xy = {};
  for (int part = 0; part < kParts; ++part) {
    Doubles counts = 1.0 - Doubles{};
    if (part == kParts - 1) counts[kWide - 1] = 0;  // is no band
    const Doubles a = x[part].frames[n] - x_mean * counts, b = y[part].frames[n] - y_mean * counts;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const double x_power = sum_of(xx), y_power = sum_of(yy);
  if (!(x_power > kRounding && y_power > kRounding)) return 0;
  return sum_of(xy) / __builtin_sqrt(x_power * y_power);
}

SegmentSums correlate(const float* clean, const float* estimate) {
  Strip x[kParts], y[kParts];
  Doubles stoi = {};
  for (int part = 0; part < kParts; ++part) {
    load(clean + part * kWide, x[part]);
    load(estimate + part * kWide, y[part]);
    Doubles x_power = {}, y_power = {};
    for (int n = 0; n < kStoiSegment; ++n) {
      x_power += x[part].frames[n] * x[part].frames[n];
      y_power += y[part].frames[n] * y[part].frames[n];
    }
    stoi += intelligibility(x[part], y[part], x_power, y_power);
    const Products p = products_of(x[part], y[part]);
    normalize(x[part], p.x_mean, p.xx, x_power);
    normalize(y[part], p.y_mean, p.yy, y_power);
  }
  SegmentSums sums{sum_of(stoi), 0};
  for (int n = 0; n < kStoiSegment; ++n) sums.estoi += correlate_frame(x, y, n);
  return sums;
}

}  // namespace

const StoiKernels stoi = {correlate};

}  // namespace limbeck::metric::LIMBECK_LEVEL
