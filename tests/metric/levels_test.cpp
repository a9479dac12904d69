// The loops under src/metric/levels and src/audio/levels against plain ones in double precision, at
// every level of this processor.

#include <complex>
#include <limits>

#include "audio/levels/spectra.h"
#include "limbeck/audio/aligned_buffer.h"
#include "metric/levels/filters.h"
#include "metric/levels/pesq_alignment.h"
#include "metric/levels/pesq_bands.h"
#include "metric/levels/stoi_segment.h"
#include "metric/support.h"

namespace limbeck {
namespace {

// Here, where each namespace's own levels are found.
const SpectrumKernels& spectra_at(CpuLevel level) { return LIMBECK_AT_LEVEL(spectra, level); }

}  // namespace

namespace metric {
namespace {
const FilterKernels& filters_at(CpuLevel level) { return LIMBECK_AT_LEVEL(filters, level); }
const StoiKernels& stoi_at(CpuLevel level) { return LIMBECK_AT_LEVEL(stoi, level); }
}  // namespace

namespace pesq {
namespace {
const AlignmentKernels& alignment_at(CpuLevel level) { return LIMBECK_AT_LEVEL(alignment, level); }
const BandKernels& bands_at(CpuLevel level) { return LIMBECK_AT_LEVEL(bands, level); }
}  // namespace
}  // namespace pesq

namespace test {
namespace {

class Levels : public testing::TestWithParam<CpuLevel> {};

INSTANTIATE_TEST_SUITE_P(All, Levels, testing::ValuesIn(cpu_levels()),
                         [](const auto& level) { return to_string(level.param); });

TEST_P(Levels, MultiplySpectra) {
  const SpectrumKernels& k = spectra_at(GetParam());
  constexpr int64_t kSize = 96;
  const auto a = white_noise(kSize, 1, 1), b = white_noise(kSize, 1, 2);
  for (const bool conjugate : {true, false}) {
    auto out = a;  // in place
    (conjugate ? k.multiply_conjugate : k.multiply_plain)(out.data(), b.data(), out.data(), kSize);
    EXPECT_FLOAT_EQ(out[0], a[0] * b[0]);
    EXPECT_FLOAT_EQ(out[1], a[1] * b[1]);
    for (size_t i = 2; i < kSize; i += 2) {
      const std::complex<double> x(a[i], a[i + 1]), y(b[i], b[i + 1]);
      const auto expected = (conjugate ? std::conj(x) : x) * y;
      EXPECT_NEAR(out[i], expected.real(), 1e-6) << i;
      EXPECT_NEAR(out[i + 1], expected.imag(), 1e-6) << i;
    }
  }
  std::vector<float> powers(kSize / 2), products(kSize);
  k.powers(a.data(), powers.data(), kSize);
  k.multiply_samples(a.data(), b.data(), products.data(), kSize);
  EXPECT_FLOAT_EQ(powers[0], a[0] * a[0]);
  for (size_t i = 1; i < powers.size(); ++i) {
    EXPECT_NEAR(powers[i], std::norm(std::complex<double>(a[2 * i], a[2 * i + 1])), 1e-6);
  }
  for (size_t i = 0; i < kSize; ++i) EXPECT_FLOAT_EQ(products[i], a[i] * b[i]);
}

TEST_P(Levels, RunFourSignalsThroughSections) {
  for (const size_t count : {8, 12}) {
    std::vector<Biquad> sections;
    for (size_t s = 0; s < count; ++s) {
      const float x = 0.1F * static_cast<float>(s);
      sections.push_back({0.5F + x, 0.3F - x, 0.2F, -1.1F + 0.5F * x, 0.4F - 0.1F * x});
    }
    for (const size_t samples : {1, 5, 100}) {
      std::vector<std::vector<float>> signals;
      float* rows[4];
      for (size_t i = 0; i < 4; ++i) signals.push_back(white_noise(samples, 1, i + 3));
      for (size_t i = 0; i < 4; ++i) rows[i] = signals[i].data();
      const auto before = signals;
      filters_at(GetParam())
          .cascade(sections.data(), static_cast<int64_t>(count), rows,
                   static_cast<int64_t>(samples));
      for (size_t i = 0; i < 4; ++i) {
        std::vector<double> expected(before[i].begin(), before[i].end());
        for (const Biquad& q : sections) {
          double w1 = 0, w2 = 0;
          for (double& x : expected) {
            const double w = x - q.a1 * w1 - q.a2 * w2;
            x = q.b0 * w + q.b1 * w1 + q.b2 * w2;
            w2 = w1;
            w1 = w;
          }
        }
        double largest = 0;
        for (const double x : expected) largest = std::max(largest, std::abs(x));
        for (size_t t = 0; t < samples; ++t) {
          EXPECT_NEAR(signals[i][t], expected[t], 1e-5 * largest) << count << ' ' << i << ' ' << t;
        }
      }
    }
  }
}

TEST_P(Levels, Resample) {
  constexpr int kUp = 5, kDown = 8, kCount = 48, kBefore = 20;
  const auto taps = white_noise(kUp * kCount, 0.2F, 7);
  const int first[kUp] = {-20, -18, -17, -15, -13};
  for (const size_t size : {1, 4, 23, 64}) {
    const auto in = white_noise(kBefore + size * 2 + 2 * kCount, 1, 8);
    std::vector<float> out(size);
    filters_at(GetParam())
        .resample({taps.data(), first, kUp, kDown, kCount}, in.data() + kBefore, out.data(),
                  static_cast<int64_t>(size));
    for (size_t m = 0; m < size; ++m) {
      double sum = 0;
      const size_t phase = m % kUp;
      const float* x = in.data() + kBefore + m / kUp * kDown + first[phase];
      for (size_t j = 0; j < kCount; ++j) {
        sum += static_cast<double>(taps[phase * kCount + j]) * x[j];
      }
      EXPECT_NEAR(out[m], sum, 1e-5) << m;
    }
  }
}

TEST_P(Levels, CompareBands) {
  constexpr size_t kRow = 64, kBands = 49;
  std::vector<float> threshold(kRow, 1), inverse(kRow, 1), exponent(kRow, 1), factor(kRow, 0),
      width(kRow, 0), x(kRow, 0), y(kRow, 0);
  Random random(9);
  for (size_t b = 0; b < kBands; ++b) {
    threshold[b] = static_cast<float>(std::exp(10 * random.uniform()));
    inverse[b] = 1 / threshold[b];
    exponent[b] = static_cast<float>(0.2 + 0.1 * random.uniform());
    factor[b] = static_cast<float>(0.1 + random.uniform());
    width[b] = static_cast<float>(random.uniform());
    x[b] = static_cast<float>(std::exp(20 * random.uniform()));
    y[b] = static_cast<float>(std::exp(20 * random.uniform()));
  }
  threshold[0] = std::numeric_limits<float>::infinity();
  width[0] = 0;
  const pesq::BandTables tables{threshold.data(), inverse.data(), exponent.data(),
                                factor.data(),    width.data(),   kBands};
  double squared = 0, weighted = 0, audible = 0;
  const auto loudness = [&](double power, size_t b) {
    const double value = factor[b] * (std::pow(0.5 + 0.5 * power * inverse[b], exponent[b]) - 1);
    return power > threshold[b] ? value : 0.0;
  };
  for (size_t b = 0; b < kBands; ++b) {
    const double a = loudness(x[b], b), c = loudness(y[b], b);
    const double d = std::max(std::abs(c - a) - 0.25 * std::min(a, c), 0.0) * width[b];
    const double asymmetry = std::min(std::pow((y[b] + 50.0) / (x[b] + 50.0), 1.2), 12.0);
    squared += d * d;
    weighted += d * (asymmetry < 3 ? 0 : asymmetry);
    if (x[b] > 2 * threshold[b]) audible += x[b];
  }
  const auto& k = pesq::bands_at(GetParam());
  const auto sums = k.disturbance(tables, x.data(), y.data());
  EXPECT_NEAR(sums.squared / squared, 1, 1e-5);
  EXPECT_NEAR(sums.weighted / weighted, 1, 1e-5);
  EXPECT_NEAR(k.audible_power(tables, x.data(), 2) / audible, 1, 1e-6);
}

// What the lowest level gives is held by the golden values.
TEST_P(Levels, CorrelateSegmentsAsTheLowestDoes) {
  for (const bool with_silence : {false, true}) {
    std::vector<float> rows[2];
    for (size_t i = 0; i < 2; ++i) {
      rows[i] = white_noise(kStoiSegment * kStoiStride, 1, 13 + i);
      for (size_t n = 0; n < rows[i].size(); ++n) {
        const size_t frame = n / kStoiStride, band = n % kStoiStride;
        const bool silent = with_silence && (band == 3 || frame == 7);
        rows[i][n] = band == kStoiBands || silent ? 0 : std::abs(rows[i][n]);
      }
    }
    const auto expected = stoi_at(CpuLevel::baseline).correlate(rows[0].data(), rows[1].data());
    const auto sums = stoi_at(GetParam()).correlate(rows[0].data(), rows[1].data());
    EXPECT_NEAR(sums.stoi, expected.stoi, 1e-12);
    EXPECT_NEAR(sums.estoi, expected.estoi, 1e-12);
    const auto same = stoi_at(GetParam()).correlate(rows[0].data(), rows[0].data());
    EXPECT_NEAR(same.stoi, with_silence ? kStoiBands - 1 : kStoiBands, 1e-12);
    EXPECT_NEAR(same.estoi, kStoiSegment, 1e-12);
  }
}

TEST_P(Levels, CountAndFindLags) {
  const auto& k = pesq::alignment_at(GetParam());
  constexpr int64_t kSize = 80;
  auto values = white_noise(kSize, 1, 10);
  const auto before = values;
  const float largest = k.magnitudes(values.data(), kSize);
  float expected = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], std::abs(before[i]));
    expected = std::max(expected, values[i]);
  }
  EXPECT_EQ(largest, expected);

  const float level = 0.5F * largest;
  std::vector<float> histogram(kSize, 1);
  int64_t count = 0, found = k.find_above(values.data(), level, 0, kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    if (!(values[static_cast<size_t>(i)] > level)) continue;
    ++count;
    EXPECT_EQ(found, i);
    found = k.find_above(values.data(), level, i + 1, kSize);
  }
  EXPECT_EQ(found, kSize);
  EXPECT_EQ(k.count_above(values.data(), level, 0.25F, histogram.data(), kSize), count);
  for (size_t i = 0; i < kSize; ++i) EXPECT_EQ(histogram[i], values[i] > level ? 1.25F : 1);

  const std::vector<float> weights = {0.5F, 1, 0.25F};
  std::vector<float> smoothed(64);
  k.smooth(values.data(), weights.data(), 3, smoothed.data(), 64);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_NEAR(smoothed[i], 0.5F * values[i] + values[i + 1] + 0.25F * values[i + 2], 1e-6);
  }
}

TEST_P(Levels, SumWhatIsBelow) {
  const auto& k = pesq::alignment_at(GetParam());
  for (const size_t size : {0, 1, 7, 16, 61}) {
    const auto values = white_noise(size, 1, 11);
    double sum = 0, deviation = 0;
    int64_t count = 0;
    for (const float v : values) {
      if (v > 0.2F) continue;
      sum += v;
      deviation += (v - 0.1) * (v - 0.1);
      ++count;
    }
    const auto below = k.sum_below(values.data(), 0.2F, static_cast<int64_t>(size));
    EXPECT_EQ(below.count, count);
    EXPECT_NEAR(below.sum, sum, 1e-12);
    EXPECT_NEAR(k.deviation_below(values.data(), 0.2F, 0.1, static_cast<int64_t>(size)), deviation,
                1e-12);
  }
  const auto values = white_noise(48, 1, 12);
  double squares = 0;
  for (const double v : values) squares += v * v;
  EXPECT_NEAR(k.sum_of_squares(values.data(), 48), squares, 1e-12);
}

}  // namespace
}  // namespace test
}  // namespace metric
}  // namespace limbeck
