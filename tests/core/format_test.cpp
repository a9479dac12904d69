#include "limbeck/core/format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "limbeck/core/random.h"

namespace limbeck {
namespace {

TEST(Format, IsPrintf) {
  EXPECT_EQ(format("%s has %d of %5.2f", "it", 3, 1.5), "it has 3 of  1.50");
  EXPECT_EQ(format("%s", ""), "");
}

TEST(Format, HoldsLongTexts) {
  const std::string text(100000, 'x');
  EXPECT_EQ(format("<%s>", text), "<" + text + ">");
}

TEST(Join, PutsSeparatorsOnlyBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "", "c"}, ", "), "a, , c");
}

TEST(Shortest, IsTheTextOneWouldWrite) {
  EXPECT_EQ(shortest(0), "0");
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(-2.5), "-2.5");
  EXPECT_EQ(shortest(1000), "1000");
  EXPECT_EQ(shortest(3e-4), "3e-04");
}

TEST(Shortest, ReadsBackToTheSameDouble) {
  Random random{SeedKey(1).with("shortest")};
  for (int i = 0; i < 2000; ++i) {
    const auto value = std::bit_cast<double>(random.bits());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(shortest(value).c_str(), nullptr), value) << shortest(value);
  }
}

TEST(DurationText, ChoosesItsUnits) {
  EXPECT_EQ(duration_text(-3), "0 s");
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(185), "3 min 05 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(90000), "25 h 00 min");
}

TEST(Nearest, FindsSlipsOfTheFinger) {
  const std::vector<std::string> keys = {"lr", "steps", "weight_decay", "warmup_steps"};
  EXPECT_EQ(nearest("lrr", keys), "lr");
  EXPECT_EQ(nearest("step", keys), "steps");
  EXPECT_EQ(nearest("weigth_decay", keys), "weight_decay");
  EXPECT_EQ(nearest("warm_steps", keys), "warmup_steps");
}

TEST(Nearest, DoesNotGuessWildly) {
  EXPECT_EQ(nearest("batch", {"lr", "steps"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "") << "a one-letter word has every other one-letter word nearby";
  EXPECT_EQ(nearest("lr", {}), "");
  EXPECT_EQ(nearest("", {"lr"}), "");
}

TEST(Nearest, PrefersTheCloserOne) {
  EXPECT_EQ(nearest("channel", {"chanel_s", "channels"}), "channels");
}

}  // namespace
}  // namespace limbeck
