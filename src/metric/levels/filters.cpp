#include "metric/levels/filters.h"

#include <utility>

#include "limbeck/core/simd.h"

namespace limbeck::metric::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;
using simd::kLanes;
using simd::Vec;

constexpr int kSignals = 4;
constexpr int kSections = kLanes / kSignals;  // side by side in a register

using Indices = std::make_integer_sequence<int, kLanes>;

/// The first signals' worth of `v`, over and over.
template <int... i>
LIMBECK_INLINE Vec repeated(Vec v, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(v, v, (i % kSignals)...);
}
/// The last signals' worth of `a`, and behind it all but that of `b`.
template <int... i>
LIMBECK_INLINE Vec shifted(Vec a, Vec b, std::integer_sequence<int, i...>) {
  return LIMBECK_SHUFFLE(a, b, (i + kLanes - kSignals)...);
}

struct Sections {
  Vec b0, b1, b2, a1, a2;
};

LIMBECK_INLINE Sections load_sections(const Biquad* from) {
  float all[5][kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const Biquad& q = from[i / kSignals];
    all[0][i] = q.b0, all[1][i] = q.b1, all[2][i] = q.b2, all[3][i] = q.a1, all[4][i] = q.a2;
  }
  return {simd::load(all[0]), simd::load(all[1]), simd::load(all[2]), simd::load(all[3]),
          simd::load(all[4])};
}

/// Section s works s samples behind the first one, so that no section waits for another, and
/// several are in one register. Before its first sample each sees zeros.
template <int count>
void cascade_of(const Biquad* from, float* const* signals, int64_t samples) {
  constexpr int kTogether = count / kSections;
  Sections sections[kTogether];
  for (int r = 0; r < kTogether; ++r) sections[r] = load_sections(from + r * kSections);
  Vec w1[kTogether] = {}, w2[kTogether] = {}, out[kTogether] = {};
  float *s0 = signals[0], *s1 = signals[1], *s2 = signals[2], *s3 = signals[3];
  for (int64_t t = 0; t < samples + count - 1; ++t) {
    const Vec in = t < samples ? Vec{s0[t], s1[t], s2[t], s3[t]} : Vec{};
#pragma GCC unroll 16
    for (int r = kTogether - 1; r >= 0; --r) {
      const Sections& q = sections[r];
      const Vec before = shifted(r > 0 ? out[r - 1] : repeated(in, Indices()), out[r], Indices());
      const Vec w = before - q.a2 * w2[r] - q.a1 * w1[r];
      out[r] = q.b2 * w2[r] + q.b1 * w1[r] + q.b0 * w;
      w2[r] = w1[r];
      w1[r] = w;
    }
    if (const int64_t at = t - (count - 1); at >= 0) {
      const Vec last = out[kTogether - 1];
      s0[at] = last[kLanes - 4], s1[at] = last[kLanes - 3];
      s2[at] = last[kLanes - 2], s3[at] = last[kLanes - 1];
    }
  }
}

void cascade(const Biquad* sections, int64_t count, float* const* signals, int64_t samples) {
  count == 8 ? cascade_of<8>(sections, signals, samples)
             : cascade_of<12>(sections, signals, samples);
}

/// Sums that each output is cut into, at every level, so that their rounding differs little.
constexpr int kParts = 16;
constexpr int kRegisters = kParts / kLanes;

/// Outputs of one phase, which share their taps.
template <int outputs>
LIMBECK_INLINE void resample_some(const Polyphase& f, const float* in, const float* taps,
                                  float* out) {
  Vec sums[outputs][kRegisters] = {};
  for (int64_t j = 0; j < f.count; j += kParts) {
    for (int r = 0; r < kRegisters; ++r) {
      const Vec h = simd::load(taps + j + r * kLanes);
      for (int i = 0; i < outputs; ++i) {
        sums[i][r] += h * simd::load(in + i * f.down + j + r * kLanes);
      }
    }
  }
  for (int i = 0; i < outputs; ++i) {
    for (int n = kRegisters / 2; n > 0; n /= 2) {
      for (int r = 0; r < n; ++r) sums[i][r] += sums[i][r + n];
    }
    out[i * f.up] = simd::sum(sums[i][0]);
  }
}

void resample(const Polyphase& f, const float* in, float* out, int64_t size) {
  constexpr int kOutputs = kLanes == 4 ? 2 : 4;  // as registers hold
  for (int64_t phase = 0; phase < f.up && phase < size; ++phase) {
    const float* taps = f.taps + phase * f.count;
    const float* from = in + f.first[phase];
    int64_t m = phase;
    for (; m + (kOutputs - 1) * f.up < size; m += kOutputs * f.up, from += kOutputs * f.down) {
      resample_some<kOutputs>(f, from, taps, out + m);
    }
    for (; m < size; m += f.up, from += f.down) resample_some<1>(f, from, taps, out + m);
  }
}

}  // namespace

const FilterKernels filters = {cascade, resample};

}  // namespace limbeck::metric::LIMBECK_LEVEL
