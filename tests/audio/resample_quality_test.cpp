// The conversion of VoiceBank-DEMAND, 48 to 16 kHz, against what it should be: signals that are
// band-limited by construction and so known at both rates, and recordings that others converted.
#include <complex>

#include "../data/support.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using std::numbers::pi;

constexpr int kFrom = 48000;
constexpr int kTo = 16000;

double power(const std::vector<float>& samples, size_t margin) {
  double sum = 0;
  for (size_t i = margin; i + margin < samples.size(); ++i) {
    sum += static_cast<double>(samples[i]) * samples[i];
  }
  return sum / static_cast<double>(samples.size() - 2 * margin);
}

double db(double ratio) { return 10 * std::log10(ratio); }

/// A sum of `count` cosines of drawn phases, evenly spread over [low, high] Hz: noise of which
/// every sample is known at any rate.
std::vector<float> tones(int rate_hz, double seconds, double low, double high, int count) {
  Random random{SeedKey(5)};
  std::vector<float> samples(static_cast<size_t>(std::llround(seconds * rate_hz)));
  std::vector<double> sums(samples.size());
  for (int k = 0; k < count; ++k) {
    const double hz = low + (high - low) * (k + random.uniform()) / count;
    const std::complex<double> turn = std::polar(1.0, 2 * pi * hz / rate_hz);
    std::complex<double> at = std::polar(0.5 / std::sqrt(count), random.uniform(0, 2 * pi));
    for (double& sum : sums) {
      sum += at.real();
      at *= turn;
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) samples[i] = static_cast<float>(sums[i]);
  return samples;
}

/// A sweep of constant amplitude from `low` to `high` Hz.
std::vector<float> sweep(int rate_hz, double seconds, double low, double high) {
  std::vector<float> samples(static_cast<size_t>(std::llround(seconds * rate_hz)));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    samples[i] = static_cast<float>(
        0.5 * std::sin(2 * pi * (low * t + (high - low) * t * t / (2 * seconds))));
  }
  return samples;
}

TEST(ResampleQuality, PassBandIsFlatToATwentiethOfADecibel) {
  for (double hz = 25; hz <= 7200; hz += 205) {
    const auto low = resample({test::sine(kFrom, hz, 0.5, kFrom), kFrom}, kTo).samples;
    // The amplitude by projection on the two phases of the tone, over whole cycles: hz is a
    // multiple of 5, and the window in the middle lasts 0.2 s.
    std::complex<double> sum = 0;
    for (int i = 6400; i < 9600; ++i) {
      sum += static_cast<double>(low[static_cast<size_t>(i)]) *
             std::polar(1.0, -2 * pi * hz * i / kTo);
    }
    EXPECT_NEAR(20 * std::log10(std::abs(sum) * 2 / 3200 / 0.5), 0, 0.05) << hz << " Hz";
  }
}

TEST(ResampleQuality, NoiseOfThePassBandComesOutAsIfDrawnAtTheLowerRate) {
  const auto low = resample({tones(kFrom, 1, 20, 7200, 300), kFrom}, kTo).samples;
  const auto ideal = tones(kTo, 1, 20, 7200, 300);
  ASSERT_EQ(low.size(), ideal.size());
  std::vector<float> difference(low.size());
  for (size_t i = 0; i < low.size(); ++i) difference[i] = low[i] - ideal[i];
  // Away from the ends, where the signal starts and stops at once.
  EXPECT_LT(db(power(difference, 1000) / power(ideal, 1000)), -100);
}

TEST(ResampleQuality, SweepOfThePassBandKeepsItsPlaceAndShape) {
  const auto low = resample({sweep(kFrom, 2, 20, 7200), kFrom}, kTo).samples;
  const auto ideal = sweep(kTo, 2, 20, 7200);
  std::vector<float> difference(low.size());
  for (size_t i = 0; i < low.size(); ++i) difference[i] = low[i] - ideal[i];
  EXPECT_LT(db(power(difference, 1000) / power(ideal, 1000)), -100);
}

TEST(ResampleQuality, WhatIsAboveTheLowerRateLeavesNoImage) {
  const double full = 0.125;  // power of an amplitude of 0.5
  // Between 8000 and 8800 Hz the filter falls; what folds from there lies above 7200 Hz.
  EXPECT_LT(db(power(resample({sweep(kFrom, 2, 8800, 23900), kFrom}, kTo).samples, 1000) / full),
            -100);
  EXPECT_LT(
      db(power(resample({tones(kFrom, 1, 8800, 23900, 300), kFrom}, kTo).samples, 1000) / full),
      -100);
  for (double hz = 8800; hz < 24000; hz += 800) {
    const auto low = resample({test::sine(kFrom, hz, 0.5, kFrom), kFrom}, kTo).samples;
    EXPECT_LT(db(power(low, 1000) / full), -100) << hz << " Hz";
  }
}

TEST(ResampleQuality, ImagesOfTheTransitionStayAboveThePassBand) {
  // 8000 to 8800 Hz may come through weakened, folded to 7200 to 8000 Hz, but to nowhere else.
  for (double hz = 8050; hz < 8800; hz += 125) {
    const auto low = resample({test::sine(kFrom, hz, 0.5, kFrom), kFrom}, kTo).samples;
    const double image = kTo - hz;
    double worst = 0;
    for (double probe = 100; probe <= 7200; probe += 100) {
      std::complex<double> sum = 0;
      double weight = 0;
      for (int i = 2000; i < 14000; ++i) {
        const double window = 0.5 - 0.5 * std::cos(2 * pi * (i - 2000) / 12000.0);
        const double window2 = window * window * window * window;
        sum += window2 * static_cast<double>(low[static_cast<size_t>(i)]) *
               std::polar(1.0, -2 * pi * probe * i / kTo);
        weight += window2;
      }
      if (std::abs(probe - image) > 20) worst = std::max(worst, 2 * std::abs(sum) / weight / 0.5);
    }
    EXPECT_LT(20 * std::log10(worst), -100) << hz << " Hz";
  }
}

struct Comparison {
  int lag = 0;         ///< samples by which `ours` comes later
  double gain_db = 0;  ///< of `ours` over `theirs`, by least squares
  double snr_db = 0;   ///< of what both share over what they differ in, after lag and gain
};

Comparison compare(const std::vector<float>& ours, const std::vector<float>& theirs) {
  constexpr int kMaxLag = 50;
  const auto dot = [&](const std::vector<float>& a, const std::vector<float>& b, int lag) {
    double sum = 0;
    const int size = static_cast<int>(std::min(a.size(), b.size()));
    for (int i = kMaxLag; i < size - kMaxLag; ++i) {
      sum += static_cast<double>(a[static_cast<size_t>(i + lag)]) * b[static_cast<size_t>(i)];
    }
    return sum;
  };
  Comparison result;
  double best = -1;
  for (int lag = -kMaxLag; lag <= kMaxLag; ++lag) {
    const double value = dot(ours, theirs, lag);
    if (value <= best) continue;
    best = value;
    result.lag = lag;
  }
  const double gain = best / dot(theirs, theirs, 0);
  double signal = 0;
  double difference = 0;
  const int size = static_cast<int>(std::min(ours.size(), theirs.size()));
  for (int i = kMaxLag; i < size - kMaxLag; ++i) {
    const double x = gain * theirs[static_cast<size_t>(i)];
    const double d = ours[static_cast<size_t>(i + result.lag)] - x;
    signal += x * x;
    difference += d * d;
  }
  result.gain_db = 20 * std::log10(gain);
  result.snr_db = db(signal / difference);
  return result;
}

// Every recording that is there at both rates, against what others made of it: nine by SoX, one (a
// test file of the corpus) by an unknown hand. No delay and no gain; what differs is rounding to 16
// bits and the edge of the filters, 69 dB and more below the signal.
TEST(ResampleQuality, RecordingsMatchTheirTwinsAtTheLowerRate) {
  LIMBECK_NEED_SHARED_DATA(data);
  int compared = 0;
  for (const auto& [high, low] :
       {std::pair(data / "clean_48k" / "p234", data / "clean" / "p234"),
        std::pair(data / "vbd_test_48k" / "noisy", data / "vbd_test" / "noisy")}) {
    for (const auto& entry : fs::directory_iterator(high)) {
      const fs::path twin = low / entry.path().filename();
      if (!fs::exists(twin)) continue;
      const Waveform original = read_audio(entry.path());
      ASSERT_EQ(original.rate_hz, kFrom);
      const Waveform ours = resample(original, kTo);
      const Waveform theirs = read_audio(twin);
      const Comparison c = compare(ours.samples, theirs.samples);
      const std::string name = entry.path().filename().string();
      RecordProperty(name, format("lag %d, gain %.4f dB, SNR %.1f dB", c.lag, c.gain_db, c.snr_db));
      EXPECT_EQ(ours.size(), theirs.size()) << name;
      EXPECT_EQ(c.lag, 0) << name;
      EXPECT_NEAR(c.gain_db, 0, 0.001) << name;
      EXPECT_GT(c.snr_db, 65) << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 10);
}

}  // namespace
}  // namespace limbeck
