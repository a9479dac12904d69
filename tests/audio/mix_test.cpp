#include "limbeck/audio/mix.h"

#include <algorithm>

#include "../data/support.h"

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

std::vector<float> difference(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), std::minus<>());
  return result;
}

TEST(Level, FollowsItsDefinition) {
  EXPECT_NEAR(level_dbfs(std::vector<float>(100, -1.0F)), 0, 1e-9);
  EXPECT_NEAR(level_dbfs(sine(16000, 1000, 1)), -3.0103, 1e-4);
  EXPECT_NEAR(level_dbfs(sine(16000, 1000, 0.1)), -23.0103, 1e-4);
  EXPECT_TRUE(std::isinf(level_dbfs(std::vector<float>(10, 0.0F))));
  EXPECT_TRUE(std::isinf(level_dbfs({})));
}

TEST(ActiveLevel, IsTheLevelOfASteadySignal) {
  const auto steady = sine(16000, 300, 0.2);
  EXPECT_NEAR(active_level_dbfs(steady, 16000), level_dbfs(steady), 0.01);
}

TEST(ActiveLevel, IgnoresDigitalSilence) {
  const auto speech = words(51200);
  auto longer = speech;
  longer.insert(longer.begin(), 51200, 0.0F);
  longer.insert(longer.end(), 99999, 0.0F);
  EXPECT_DOUBLE_EQ(active_level_dbfs(longer, 16000), active_level_dbfs(speech, 16000));
  EXPECT_NEAR(active_level_dbfs(speech, 16000), 20 * std::log10(0.2) - 3.0103, 0.05);
}

TEST(ActiveLevel, IgnoresTheNoiseFloorOfPauses) {
  auto speech = words(512000);
  const double quiet = active_level_dbfs(speech, 16000);
  const auto floor = white(512000, 7, 0.2 * std::pow(10, -30.0 / 20));  // 30 dB down
  for (size_t i = 0; i < speech.size(); ++i) speech[i] += floor[i];
  EXPECT_NEAR(active_level_dbfs(speech, 16000), quiet, 0.1);
}

TEST(ActiveLevel, FollowsAGain) {
  auto speech = words(51200);
  const double before = active_level_dbfs(speech, 16000);
  apply_gain(speech, gain_of_db(-17));
  EXPECT_NEAR(active_level_dbfs(speech, 16000), before - 17, 1e-5);
}

TEST(ActiveLevel, IsNotTakenOverByAClick) {
  auto speech = words(512000);
  const double before = active_level_dbfs(speech, 16000);
  for (size_t i = 100000; i < 100020; ++i) speech[i] = 1;
  EXPECT_NEAR(active_level_dbfs(speech, 16000), before, 1);
}

TEST(ActiveLevel, HasAValueForEverySignal) {
  EXPECT_TRUE(std::isinf(active_level_dbfs({}, 16000)));
  EXPECT_TRUE(std::isinf(active_level_dbfs(std::vector<float>(5000, 0.0F), 16000)));
  EXPECT_NEAR(active_level_dbfs(std::vector<float>(1, 0.5F), 16000), -6.0206, 1e-3);
  EXPECT_TRUE(std::isfinite(active_level_dbfs(std::vector<float>(100, 1e-20F), 16000)));
}

TEST(MixAtSnr, ReachesTheSnrOnSegmentsWithSilence) {
  for (const double snr_db : {-20.0, -5.0, 0.0, 7.5, 40.0}) {
    for (const int64_t count : {777, 16000, 64000}) {
      const auto clean = words(count);
      const auto noise = white(count, 11, 0.05);
      const auto noisy = mix_at_snr(clean, noise, 16000, snr_db);
      const auto added = difference(noisy, clean);
      EXPECT_NEAR(active_level_dbfs(clean, 16000) - level_dbfs(added), snr_db, 0.01);
    }
  }
}

TEST(MixAtSnr, SilentPartsPassThroughUnscaled) {
  const std::vector<float> silence(2000, 0.0F);
  const auto noise = white(2000, 1);
  const auto clean = words(2000);
  EXPECT_EQ(mix_at_snr(silence, noise, 16000, 5), noise);
  EXPECT_EQ(mix_at_snr(clean, silence, 16000, 5), clean);
  EXPECT_EQ(mix_at_snr(silence, silence, 16000, 5), silence);
  const std::vector<float> hiss = white(2000, 2, 1e-4);  // −85 dBFS: no noise to scale up
  const auto noisy = mix_at_snr(clean, hiss, 16000, -5);
  for (size_t i = 0; i < noisy.size(); ++i) EXPECT_NEAR(noisy[i], clean[i], 1.1e-4);
}

TEST(MixAtSnr, RefusesDifferentLengths) {
  EXPECT_THROW(mix_at_snr(words(10), words(11), 16000, 0), std::logic_error);
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
