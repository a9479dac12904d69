#include "limbeck/core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace limbeck {
namespace {

using ::testing::ElementsAre;

// The golden values below come from a Python program that implements splitmix64 and xoshiro256**
// from their papers and calls libxxhash. If one changes, every recorded run stops being
// reproducible.
const SeedKey kMixture = SeedKey(42).with("mixture").with(7);

TEST(SeedKey, HasGoldenValues) {
  EXPECT_EQ(SeedKey(42).value(), 0xd5a6f8c838df27c8U);
  EXPECT_EQ(kMixture.value(), 0xe079ae269a49b28aU);
}

TEST(SeedKey, SeparatesPaths) {
  std::set<uint64_t> seen;
  for (uint64_t root = 0; root < 20; ++root) {
    for (const char* purpose : {"", "a", "b", "ab", "noise"}) {
      for (uint64_t index = 0; index < 100; ++index) {
        seen.insert(SeedKey(root).with(purpose).with(index).value());
      }
    }
  }
  EXPECT_EQ(seen.size(), 20U * 5 * 100);
  EXPECT_NE(SeedKey(1).with("a").with("b").value(), SeedKey(1).with("b").with("a").value());
  EXPECT_NE(SeedKey(1).with("a").with("b").value(), SeedKey(1).with("ab").value());
  EXPECT_NE(SeedKey(1).with(1).with(0).value(), SeedKey(1).with(0).with(1).value());
}

TEST(Random, HasGoldenBits) {
  Random random{SeedKey(42)};
  EXPECT_EQ(random.bits(), 0x83761d25f8ccf912U);
  EXPECT_EQ(random.bits(), 0x5b8c7ac9c6ff40f2U);
  EXPECT_EQ(random.bits(), 0x868ed592394a3d17U);
  EXPECT_EQ(random.bits(), 0x080882c57257d83fU);
}

TEST(Random, HasGoldenDraws) {
  Random uniform{kMixture};
  EXPECT_EQ(uniform.uniform(), 0.6370305455220708);
  EXPECT_EQ(uniform.uniform(), 0.5190151399197115);
  EXPECT_EQ(uniform.uniform(), 0.9254096815426502);
  Random normal{kMixture};
  EXPECT_NEAR(normal.normal(), -1.4135339168697305, 1e-14);  // libm may differ in the last place
  EXPECT_NEAR(normal.normal(), -2.0931603103011867, 1e-14);
  Random below{kMixture};
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 8; ++i) drawn.push_back(below.below(10));
  EXPECT_THAT(drawn, ElementsAre(8, 7, 1, 8, 8, 7, 0, 0));
  EXPECT_THAT(permutation(10, kMixture), ElementsAre(1, 3, 4, 7, 2, 9, 6, 5, 0, 8));
}

TEST(Random, UniformStaysInItsInterval) {
  Random random{SeedKey(3)};
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double unit = random.uniform();
    ASSERT_GE(unit, 0);
    ASSERT_LT(unit, 1);
    const double shifted = random.uniform(-5, 15);
    ASSERT_GE(shifted, -5);
    ASSERT_LT(shifted, 15);
    sum += shifted;
  }
  EXPECT_NEAR(sum / 100000, 5, 5 * 20 / std::sqrt(12.0 * 100000));  // five standard errors
}

TEST(Random, BelowIsUnbiased) {
  // Of 3·2^62 results, plain `bits() % count` would draw the first third twice as often as the
  // others.
  const uint64_t count = 3ULL << 62;
  Random random{SeedKey(4)};
  std::array<int, 3> thirds{};
  const int draws = 30000;
  for (int i = 0; i < draws; ++i) {
    const uint64_t draw = random.below(count);
    ASSERT_LT(draw, count);
    ++thirds[draw >> 62];
  }
  for (const int n : thirds) EXPECT_NEAR(n, draws / 3, 5 * std::sqrt(draws * 2.0 / 9));
}

TEST(Random, BelowReachesEveryResult) {
  Random random{SeedKey(5)};
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  for (const int n : counts) EXPECT_NEAR(n, 10000, 5 * std::sqrt(70000.0 * 6 / 49));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, NormalHasItsMoments) {
  Random random{SeedKey(6)};
  const int count = 200000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / count, 0, 5 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(fourth / count, 3, 5 * std::sqrt(96.0 / count));
}

TEST(Permutation, IsOneForEverySizeAndSeed) {
  for (int64_t count = 0; count < 60; ++count) {
    auto order = permutation(count, SeedKey(8).with(static_cast<uint64_t>(count)));
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(order[static_cast<size_t>(i)], i);
    ASSERT_EQ(static_cast<int64_t>(order.size()), count);
  }
}

TEST(Permutation, DrawsAllOrdersEquallyOften) {
  std::map<std::vector<int64_t>, int> counts;
  const int draws = 24000;
  for (int i = 0; i < draws; ++i)
    ++counts[permutation(4, SeedKey(9).with(static_cast<uint64_t>(i)))];
  EXPECT_EQ(counts.size(), 24U);
  double chi_squared = 0;
  for (const auto& [order, n] : counts) chi_squared += (n - 1000.0) * (n - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 58);  // 23 degrees of freedom, one in ten thousand
}

}  // namespace
}  // namespace limbeck
