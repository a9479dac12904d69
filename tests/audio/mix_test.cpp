#include "limbeck/audio/mix.h"

#include <algorithm>

#include "../data/support.h"
#include "limbeck/core/csv.h"
#include "paths.h"

namespace limbeck {
namespace {

using test::sine;
using test::white;

/// Bursts of a tone with pauses between: half of the time is silence.
std::vector<float> words(int64_t count) {
  std::vector<float> samples = sine(count, 300, 0.2);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i / 5120 % 2 == 1) samples[i] = 0;
  }
  return samples;
}

/// Numerical Recipes' linear congruential generator, as in tests/golden/p56.py.
std::vector<double> hiss(int64_t count, uint32_t seed) {
  std::vector<double> samples(static_cast<size_t>(count));
  uint32_t state = seed;
  for (double& x : samples) {
    state = 1664525U * state + 1013904223U;
    x = state / 2147483648.0 - 1;
  }
  return samples;
}

/// The signals that tests/golden/p56.py makes, by the same formulas; empty for another name.
std::vector<float> made_signal(const std::string& name) {
  std::vector<float> x(64000);
  const auto fill = [&](const auto& f) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(f(static_cast<double>(i), i));
    return x;
  };
  const auto tone = [](double n, double hz) {
    return std::sin(2 * std::numbers::pi * hz * n / 16000);
  };
  const auto word = [&](double n, size_t i) { return i / 5120 % 2 ? 0 : 0.2 * tone(n, 300); };
  if (name == "steady") {
    x.resize(32000);
    return fill([&](double n, size_t) { return 0.2 * tone(n, 300); });
  }
  if (name == "words") return fill(word);
  if (name == "words in silence") {
    fill(word);
    x.insert(x.begin(), 48000, 0.0F);
    x.insert(x.end(), 80000, 0.0F);
    return x;
  }
  if (name == "words with an offset") {
    return fill([&](double n, size_t i) { return word(n, i) + 0.1; });
  }
  if (name == "words over hiss") {
    const auto noise = hiss(64000, 7);
    return fill([&](double n, size_t i) { return word(n, i) + 0.004 * noise[i]; });
  }
  if (name == "syllables") {
    return fill([&](double n, size_t) { return 0.3 * tone(n, 180) * std::pow(tone(n, 2.5), 8); });
  }
  if (name == "quiet hiss") {
    x.resize(32000);
    const auto noise = hiss(32000, 11);
    return fill([&](double, size_t i) { return 0.003 * noise[i]; });
  }
  if (name == "fading") {
    const auto noise = hiss(64000, 13);
    return fill([&](double n, size_t i) { return 0.4 * noise[i] * std::pow(10, -n / 32000); });
  }
  if (name == "one word") {
    return fill([&](double n, size_t i) {
      return i >= 20000 && i < 26000 ? 0.1 * tone(n - 20000, 250) : 0;
    });
  }
  return {};
}

Csv golden_levels() { return read_csv(test::source_dir() / "tests/golden/data/p56.csv"); }

/// The Recommendation's own coarse thresholds leave a tenth of a dB to interpolation.
void expect_level(const Csv& csv, const std::vector<std::string>& row,
                  const std::vector<float>& samples) {
  const auto number = [&](const char* column) {
    return std::stod(row[static_cast<size_t>(csv.column(column))]);
  };
  const double level = active_level_dbfs(samples, 16000);
  EXPECT_NEAR(level, number("level_fine_dbfs"), 0.005) << row[0];
  EXPECT_NEAR(level, number("level_dbfs"), 0.2) << row[0];
}

TEST(Level, FollowsItsDefinition) {
  std::vector<float> square(100, -1.0F);
  std::fill_n(square.begin(), 50, 1.0F);
  EXPECT_NEAR(level_dbfs(square), 0, 1e-9);
  EXPECT_NEAR(level_dbfs(sine(16000, 1000, 1)), -3.0103, 1e-4);
  EXPECT_NEAR(level_dbfs(sine(16000, 1000, 0.1)), -23.0103, 1e-4);
  EXPECT_TRUE(std::isinf(level_dbfs(std::vector<float>(10, 0.0F))));
  EXPECT_TRUE(std::isinf(level_dbfs({})));
}

TEST(Level, LeavesTheMeanOut) {
  auto tone = sine(16000, 1000, 0.1);
  for (float& x : tone) x += 0.3F;
  EXPECT_NEAR(mean_of(tone), 0.3, 1e-6);
  EXPECT_NEAR(level_dbfs(tone), -23.0103, 1e-4);
  const std::vector<float> constant(30000, 0.1F);
  EXPECT_TRUE(std::isinf(level_dbfs(constant)));
  EXPECT_TRUE(std::isinf(active_level_dbfs(constant, 16000)));
  EXPECT_EQ(mean_of({}), 0);
}

TEST(ActiveLevel, IsNotShiftedByAnOffset) {
  auto speech = words(51200);
  const double before = active_level_dbfs(speech, 16000);
  for (const float offset : {0.1F, -0.5F}) {
    auto other = speech;
    for (float& x : other) x += offset;
    EXPECT_NEAR(active_level_dbfs(other, 16000), before, 1e-4);
  }
}

TEST(HasOffset, KnowsAConverterFromRumble) {
  auto speech = words(51200);
  EXPECT_FALSE(has_offset(speech));
  for (float& x : speech) x += 0.1F;
  EXPECT_TRUE(has_offset(speech));
  const auto rumble = sine(16000, 3.5, 0.3);  // half a wave more: 18 dB below the rest
  EXPECT_GT(std::abs(mean_of(rumble)), 0.01);
  EXPECT_FALSE(has_offset(rumble));
  EXPECT_FALSE(has_offset(std::vector<float>(1000, 0.0005F)));  // too small to matter
  EXPECT_TRUE(has_offset(std::vector<float>(1000, 0.1F)));
  EXPECT_FALSE(has_offset({}));
}

TEST(IsSilent, LooksAtTheLevelWithoutTheMean) {
  EXPECT_TRUE(is_silent(std::vector<float>(1000, 0.0F)));
  EXPECT_TRUE(is_silent(std::vector<float>(1000, 0.1F)));
  EXPECT_TRUE(is_silent(sine(16000, 1000, 1e-4)));
  EXPECT_FALSE(is_silent(sine(16000, 1000, 2e-4)));
}

TEST(ActiveLevel, IsThatOfP56OnMadeSignals) {
  const Csv csv = golden_levels();
  int checked = 0;
  for (const auto& row : csv.rows) {
    const auto samples = made_signal(row[0]);
    if (samples.empty()) continue;
    expect_level(csv, row, samples);
    ++checked;
  }
  EXPECT_EQ(checked, 9);
}

TEST(ActiveLevel, IsThatOfP56OnRecordings) {
  LIMBECK_NEED_SHARED_DATA(data);
  const Csv csv = golden_levels();
  int checked = 0;
  for (const auto& row : csv.rows) {
    if (!row[0].ends_with(".flac")) continue;
    expect_level(csv, row, read_audio(data / row[0]).samples);
    ++checked;
  }
  EXPECT_EQ(checked, 9);
}

TEST(ActiveLevel, IsNotShiftedBySilence) {
  const auto speech = words(51200);  // ends with a pause that is longer than the hangover
  for (const size_t pad : {1000U, 51200U, 500000U}) {
    auto longer = speech;
    longer.insert(longer.begin(), pad, 0.0F);
    longer.insert(longer.end(), 2 * pad, 0.0F);
    EXPECT_NEAR(active_level_dbfs(longer, 16000), active_level_dbfs(speech, 16000), 1e-9);
  }
}

TEST(ActiveLevel, IgnoresTheNoiseFloorOfLongPauses) {
  auto speech = words(51200);
  speech.resize(200000);
  const double quiet = active_level_dbfs(speech, 16000);
  const auto floor = white(200000, 7, 0.2 * std::pow(10, -30.0 / 20));  // 30 dB down
  for (size_t i = 0; i < speech.size(); ++i) speech[i] += floor[i];
  EXPECT_NEAR(active_level_dbfs(speech, 16000), quiet, 0.1);
}

TEST(ActiveLevel, FollowsAGainExactly) {
  auto speech = words(51200);
  const double before = active_level_dbfs(speech, 16000);
  for (const double gain_db : {-17.0, 3.3, -40.0}) {
    auto other = speech;
    apply_gain(other, gain_of_db(gain_db));
    EXPECT_NEAR(active_level_dbfs(other, 16000), before + gain_db, 1e-5);
  }
}

TEST(ActiveLevel, IsNotTakenOverByAClick) {
  auto speech = words(512000);
  const double before = active_level_dbfs(speech, 16000);
  for (size_t i = 100000; i < 100020; ++i) speech[i] = 1;
  EXPECT_NEAR(active_level_dbfs(speech, 16000), before, 0.1);
}

TEST(ActiveLevel, HasAValueForEverySignal) {
  EXPECT_TRUE(std::isinf(active_level_dbfs({}, 16000)));
  EXPECT_TRUE(std::isinf(active_level_dbfs(std::vector<float>(5000, 0.0F), 16000)));
  EXPECT_TRUE(std::isinf(active_level_dbfs(std::vector<float>(1, 0.5F), 16000)));
  EXPECT_NEAR(active_level_dbfs(std::vector<float>{0.5F, -0.5F}, 16000), -6.0206, 1e-3);
  EXPECT_TRUE(std::isfinite(active_level_dbfs(sine(100, 1000, 1e-20), 16000)));
  std::vector<float> click(32000, 0.0F);
  click[9000] = 1;  // counts as active for 0.2 s
  EXPECT_NEAR(active_level_dbfs(click, 16000), 10 * std::log10((1 - 1 / 32000.0) / 3200), 1e-6);
}

TEST(MixGains, ReachLevelAndSnr) {
  for (const double snr_db : {-20.0, -5.0, 0.0, 7.5, 40.0}) {
    for (const int64_t count : {7770, 16000, 64000}) {
      auto clean = words(count);
      auto noise = white(count, 11, 0.05);
      const MixGains gains =
          mix_gains(active_level_dbfs(clean, 16000), level_dbfs(noise), -27, snr_db);
      apply_gain(clean, gains.speech);
      apply_gain(noise, gains.noise);
      EXPECT_NEAR(active_level_dbfs(clean, 16000), -27, 1e-4);
      EXPECT_NEAR(level_dbfs(noise), -27 - snr_db, 1e-4);
    }
  }
}

TEST(MixGains, LeaveSilenceAlone) {
  const double none = -INFINITY;
  EXPECT_EQ(mix_gains(none, -20, -25, 5).speech, 1);
  EXPECT_NEAR(mix_gains(none, -20, -25, 5).noise, gain_of_db(-10), 1e-12);
  EXPECT_EQ(mix_gains(-61, -20, -25, 5).speech, 1);
  EXPECT_EQ(mix_gains(-20, -85, -25, -5).noise, 1);
  EXPECT_NEAR(mix_gains(-20, none, -25, 5).speech, gain_of_db(-5), 1e-12);
}

TEST(SumOf, AddsAndRefusesDifferentLengths) {
  EXPECT_EQ(sum_of(std::vector<float>{1, 2}, std::vector<float>{0.5F, -2}),
            (std::vector<float>{1.5F, 0}));
  EXPECT_THROW(sum_of(words(10), words(11)), std::logic_error);
}

TEST(LimitPeak, ScalesBothByOneGain) {
  std::vector<float> noisy{2.0F, -0.5F};
  std::vector<float> clean{1.0F, 0.25F};
  EXPECT_NEAR(limit_peak(noisy, clean), 0.495, 1e-6);
  EXPECT_NEAR(noisy[0], 0.99, 1e-6);
  EXPECT_NEAR(clean[0] / noisy[0], 0.5, 1e-6);
  EXPECT_NEAR(clean[1] / noisy[1], -0.5, 1e-6);
  const auto before = noisy;
  EXPECT_EQ(limit_peak(noisy, clean), 1);
  EXPECT_EQ(noisy, before);
}

TEST(LimitPeak, SeesThePeakOfTheCleanSide) {
  std::vector<float> noisy{0.1F};
  std::vector<float> clean{-1.98F};
  EXPECT_NEAR(limit_peak(noisy, clean), 0.5, 1e-6);
}

}  // namespace
}  // namespace limbeck
