#include "limbeck/audio/band.h"

#include "../data/support.h"
#include "limbeck/audio/mix.h"

namespace limbeck {
namespace {

using test::sine;
using test::white;

TEST(MelBand, FollowsItsFormula) {
  const Band all = mel_band(0, 1, 16000);
  EXPECT_EQ(all.low_hz, 0);
  EXPECT_EQ(all.high_hz, 8000);
  // 2595 · lg(1 + 8000 / 700) = 2840.0230; half of it is 1420.0115 mel, 1767.79 Hz: 700 (√(1 + 80 /
  // 7) − 1).
  EXPECT_NEAR(mel_band(0.5, 0.75, 16000).low_hz, 1767.7925, 0.01);
  EXPECT_NEAR(2595 * std::log10(1 + mel_band(0.25, 0.5, 16000).low_hz / 700), 2840.0230 / 4, 1e-3);
}

TEST(RemoveBand, TakesOutTonesWithinAndLeavesTheOthers) {
  for (const double hz : {60.0, 440.0, 940.0, 1000.0, 1500.0, 1950.0, 2060.0, 5000.0, 7900.0}) {
    auto a = sine(32000, hz, 0.5);
    auto b = sine(32000, hz, 0.1);
    const auto before = a;
    remove_band(a, b, 16000, {1000, 2000});
    const std::span<const float> middle = std::span<const float>(a).subspan(4000, 24000);
    const double change = level_dbfs(middle) - level_dbfs(sine(24000, hz, 0.5));
    if (hz > 1025 && hz < 1975) {
      EXPECT_LT(change, -70) << hz;
    } else if (hz == 1000) {
      EXPECT_NEAR(change, -6.02, 0.01);
    } else {
      // No delay: not only the level but every sample is kept.
      for (size_t i = 4000; i < 28000; ++i) ASSERT_NEAR(a[i], before[i], 1e-4) << hz;
    }
  }
}

TEST(RemoveBand, TreatsBothSidesAlikeAndApart) {
  const auto x = white(20000, 1);
  const auto y = white(20000, 2);
  auto a = x;
  auto b = y;
  remove_band(a, b, 16000, {300, 900});
  auto a2 = x;
  std::vector<float> none(x.size(), 0.0F);
  remove_band(a2, none, 16000, {300, 900});
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], a2[i], 1e-6);
    ASSERT_NEAR(none[i], 0, 1e-6);
  }
  auto sum = sum_of(x, y);
  std::vector<float> zero(x.size(), 0.0F);
  remove_band(sum, zero, 16000, {300, 900});
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i] + b[i], sum[i], 2e-6);
}

TEST(RemoveBand, ReachesTheEndsOfTheSpectrum) {
  auto low = sine(16000, 20, 0.5);
  auto high = sine(16000, 7990, 0.5);
  remove_band(low, high, 16000, {0, 100});
  EXPECT_LT(level_dbfs(std::span<const float>(low).subspan(3000, 10000)), -70);
  remove_band(low, high, 16000, {7000, 8000});
  EXPECT_LT(level_dbfs(std::span<const float>(high).subspan(3000, 10000)), -70);
  auto a = white(5000, 3);
  auto b = a;
  const auto before = a;
  remove_band(a, b, 16000, {500, 500});  // nothing
  EXPECT_EQ(a, before);
}

}  // namespace
}  // namespace limbeck
