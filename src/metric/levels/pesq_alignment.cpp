#include "metric/levels/pesq_alignment.h"

#include "limbeck/core/simd.h"

namespace limbeck::metric::pesq::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;
using simd::IntVec;
using simd::kLanes;
using simd::load;
using simd::store;
using simd::Vec;

constexpr int kDoubles = kLanes / 2;
typedef float Half __attribute__((vector_size(kDoubles * sizeof(float))));
typedef double Doubles __attribute__((vector_size(kDoubles * sizeof(double))));

LIMBECK_INLINE Doubles load_doubles(const float* p) {
  Half half;
  __builtin_memcpy(&half, p, sizeof half);
  return __builtin_convertvector(half, Doubles);
}
LIMBECK_INLINE double sum_of(Doubles v) {
  double sum = 0;
  for (int i = 0; i < kDoubles; ++i) sum += v[i];
  return sum;
}
/// −1 in a lane that holds
LIMBECK_INLINE int64_t count_of(IntVec counts) {
  int64_t sum = 0;
  for (int i = 0; i < kLanes; ++i) sum -= counts[i];
  return sum;
}
LIMBECK_INLINE float largest_of(Vec v) {
  float largest = v[0];
  for (int i = 1; i < kLanes; ++i) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

float magnitudes(float* values, int64_t size) {
  Vec largest = {};
  for (int64_t i = 0; i < size; i += kLanes) {
    const Vec v = load(values + i), magnitude = simd::max(v, -v);
    store(values + i, magnitude);
    largest = simd::max(largest, magnitude);
  }
  return largest_of(largest);
}

int64_t count_above(const float* values, float level, float weight, float* histogram,
                    int64_t size) {
  IntVec counts = {};
  for (int64_t i = 0; i < size; i += kLanes) {
    const IntVec above = load(values + i) > level;
    const Vec weights = above ? simd::broadcast(weight) : Vec{};
    store(histogram + i, load(histogram + i) + weights);
    counts += above;
  }
  return count_of(counts);
}

int64_t find_above(const float* values, float level, int64_t from, int64_t size) {
  while (from < size) {
    if (from % kLanes == 0) {
      const IntVec above = load(values + from) > level;
      if (count_of(above) == 0) {
        from += kLanes;
        continue;
      }
    }
    if (values[from] > level) return from;
    ++from;
  }
  return size;
}

void smooth(const float* values, const float* weights, int64_t count, float* out, int64_t size) {
  for (int64_t i = 0; i < size; i += kLanes) {
    Vec sum = {};
    for (int64_t k = 0; k < count; ++k) sum += weights[k] * load(values + i + k);
    store(out + i, sum);
  }
}

AlignmentKernels::Below sum_below(const float* values, float threshold, int64_t size) {
  Doubles sums = {};
  int64_t count = 0, i = 0;
  Half counted = {};
  for (; i + kDoubles <= size; i += kDoubles) {
    Half v;
    __builtin_memcpy(&v, values + i, sizeof v);
    sums += __builtin_convertvector(v <= threshold ? v : Half{}, Doubles);
    counted += v <= threshold ? 1.0F - Half{} : Half{};
  }
  for (int lane = 0; lane < kDoubles; ++lane) count += static_cast<int64_t>(counted[lane]);
  double sum = sum_of(sums);
  for (; i < size; ++i) {
    if (!(values[i] <= threshold)) continue;
    sum += values[i];
    ++count;
  }
  return {sum, count};
}

double deviation_below(const float* values, float threshold, double mean, int64_t size) {
  Doubles sums = {};
  int64_t i = 0;
  for (; i + kDoubles <= size; i += kDoubles) {
    const Doubles v = load_doubles(values + i), d = v - mean;
    sums += v <= static_cast<double>(threshold) ? d * d : Doubles{};
  }
  double sum = sum_of(sums);
  for (; i < size; ++i) {
    if (values[i] <= threshold) sum += (values[i] - mean) * (values[i] - mean);
  }
  return sum;
}

double sum_of_squares(const float* values, int64_t size) {
  Doubles sums[2] = {};
  for (int64_t i = 0; i < size; i += kLanes) {
    const Doubles a = load_doubles(values + i), b = load_doubles(values + i + kDoubles);
    sums[0] += a * a;
    sums[1] += b * b;
  }
  return sum_of(sums[0] + sums[1]);
}

}  // namespace

const AlignmentKernels alignment = {magnitudes, count_above,     find_above,    smooth,
                                    sum_below,  deviation_below, sum_of_squares};

}  // namespace limbeck::metric::pesq::LIMBECK_LEVEL
