#include <gmock/gmock.h>

#include <cmath>

#include "train/support.h"

namespace limbeck::test {
namespace {

/// A row for every schedule: the factor in the first of 12 steps, and after the last.
struct Example {
  std::string options;
  double first, last;
};
const std::map<std::string, Example> kExamples = {
    {"constant", {"type: constant, warmup_steps: 4", 0.25, 1}},
    {"warmup_cosine", {"type: warmup_cosine, warmup_steps: 4, final_ratio: 0.1", 0.25, 0.1}}};

TEST(EverySchedule, StartsAndEndsWhereItSaysAndStaysBetween0And1) {
  for (const std::string& name : schedules().names()) {
    SCOPED_TRACE(name);
    const auto example = kExamples.find(name);
    ASSERT_NE(example, kExamples.end()) << "needs a row in kExamples";
    const auto schedule = make_schedule(example->second.options);
    EXPECT_DOUBLE_EQ(schedule->factor(0, 12), example->second.first);
    EXPECT_NEAR(schedule->factor(12, 12), example->second.last, 1e-12);
    EXPECT_NEAR(schedule->factor(500, 12), example->second.last, 1e-12);
    for (const std::string& options : {example->second.options, "type: " + name}) {
      const auto any = make_schedule(options);
      for (const int64_t steps : {1, 3, 12, 1000}) {
        for (int64_t step = 0; step <= steps; ++step) {
          const double factor = any->factor(step, steps);
          ASSERT_TRUE(std::isfinite(factor)) << step;
          ASSERT_GE(factor, 0) << step;
          ASSERT_LE(factor, 1) << step;
        }
        EXPECT_GT(any->factor(0, steps), 0) << "a step is wasted";
      }
    }
  }
}

TEST(WarmupCosine, WarmsUpThenFallsByHalfACosine) {
  const auto schedule = make_schedule("type: warmup_cosine, warmup_steps: 4, final_ratio: 0.1");
  const auto at = [&](int64_t step) { return schedule->factor(step, 12); };
  EXPECT_DOUBLE_EQ(at(0), 0.25);  // no step is wasted on a rate of zero
  EXPECT_DOUBLE_EQ(at(1), 0.5);
  EXPECT_DOUBLE_EQ(at(3), 1);
  EXPECT_DOUBLE_EQ(at(4), 1);
  EXPECT_NEAR(at(6), 0.1 + 0.9 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(at(8), 0.55, 1e-12);
  EXPECT_NEAR(at(12), 0.1, 1e-12);
  EXPECT_NEAR(at(500), 0.1, 1e-12);
  for (int64_t step = 4; step < 12; ++step) EXPECT_GT(at(step), at(step + 1));
}

TEST(WarmupCosine, WithoutWarmUpAndWithNothingElse) {
  const auto factor = [](const std::string& options, int64_t step) {
    return make_schedule("type: warmup_cosine, " + options)->factor(step, 10);
  };
  EXPECT_DOUBLE_EQ(factor("warmup_steps: 0, final_ratio: 0", 0), 1);
  EXPECT_NEAR(factor("warmup_steps: 0, final_ratio: 1", 7), 1, 1e-12);
  EXPECT_DOUBLE_EQ(factor("warmup_steps: 100, final_ratio: 0", 4), 0.05);
}

TEST(Constant, StaysAtThePeakAfterTheWarmUp) {
  const auto schedule = make_schedule("type: constant, warmup_steps: 2");
  EXPECT_DOUBLE_EQ(schedule->factor(0, 10), 0.5);
  for (int64_t step = 1; step <= 10; ++step) EXPECT_DOUBLE_EQ(schedule->factor(step, 10), 1);
}

}  // namespace
}  // namespace limbeck::test
