#include <gmock/gmock.h>

#include <cmath>

#include "train/support.h"

namespace limbeck::test {
namespace {

/// A row for every schedule: the factor in the first of 12 steps, after the warm-up of 4, and after
/// the last.
struct Example {
  std::string options;
  double first, after_warmup, last;
};
const std::map<std::string, Example> kExamples = {
    {"constant", {"type: constant, warmup_steps: 4", 0.25, 1, 1}},
    {"cosine", {"type: cosine, warmup_steps: 4, final_ratio: 0.1", 0.25, 1, 0.1}},
    {"exponential", {"type: exponential, warmup_steps: 4, final_ratio: 0.1", 0.25, 1, 0.1}},
    {"linear", {"type: linear, warmup_steps: 4, final_ratio: 0.1", 0.25, 1, 0.1}},
    {"one_cycle",
     {"type: one_cycle, warmup_steps: 4, first_ratio: 0.2, final_ratio: 0.1", 0.05, 0.2, 0.1}},
    {"plateau", {"type: plateau, warmup_steps: 4", 0.25, 1, 1}}};

TEST(EverySchedule, StartsAndEndsWhereItSaysAndStaysBetween0And1) {
  for (const std::string& name : schedules().names()) {
    SCOPED_TRACE(name);
    const auto example = kExamples.find(name);
    ASSERT_NE(example, kExamples.end()) << "needs a row in kExamples";
    const auto schedule = make_schedule(example->second.options);
    EXPECT_DOUBLE_EQ(schedule.factor(0, 12), example->second.first);
    EXPECT_DOUBLE_EQ(schedule.factor(3, 12), example->second.after_warmup);
    EXPECT_DOUBLE_EQ(schedule.factor(4, 12), example->second.after_warmup);
    EXPECT_NEAR(schedule.factor(12, 12), example->second.last, 1e-12);
    EXPECT_NEAR(schedule.factor(500, 12), example->second.last, 1e-12);
    for (const std::string& options :
         {example->second.options, "type: " + name, "type: " + name + ", warmup_steps: 0"}) {
      const auto any = make_schedule(options);
      for (const int64_t steps : {1, 3, 12, 1000}) {
        for (int64_t step = 0; step <= steps; ++step) {
          const double factor = any.factor(step, steps);
          ASSERT_TRUE(std::isfinite(factor)) << step;
          ASSERT_GE(factor, 0) << step;
          ASSERT_LE(factor, 1) << step;
        }
        EXPECT_GT(any.factor(0, steps), 0) << "a step is wasted";
      }
    }
  }
}

TEST(Cosine, WarmsUpThenFallsByHalfACosine) {
  const auto schedule = make_schedule("type: cosine, warmup_steps: 4, final_ratio: 0.1");
  const auto at = [&](int64_t step) { return schedule.factor(step, 12); };
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

TEST(Cosine, WithoutWarmUpAndWithNothingElse) {
  const auto factor = [](const std::string& options, int64_t step) {
    return make_schedule("type: cosine, " + options).factor(step, 10);
  };
  EXPECT_DOUBLE_EQ(factor("warmup_steps: 0, final_ratio: 0", 0), 1);
  EXPECT_NEAR(factor("warmup_steps: 0, final_ratio: 1", 7), 1, 1e-12);
  EXPECT_DOUBLE_EQ(factor("warmup_steps: 100, final_ratio: 0", 4), 0.05);
}

/// The factors of the steps after the warm-up, of which there are 10.
void expect_factors(const std::string& options, const std::vector<double>& wanted) {
  for (const int64_t warmup : {0, 3}) {
    const auto schedule = make_schedule(options + format(", warmup_steps: %d", warmup));
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(schedule.factor(warmup + static_cast<int64_t>(i), warmup + 10), wanted[i], 1e-12)
          << options << " " << i;
    }
  }
}

TEST(Linear, FallsEvenly) {
  expect_factors("type: linear, final_ratio: 0.5",
                 {1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.5});
}

TEST(Exponential, FallsByTheSameFactor) {
  std::vector<double> wanted;
  for (int step = 0; step <= 10; ++step) wanted.push_back(std::pow(0.8, step));
  expect_factors("type: exponential, final_ratio: " + shortest(std::pow(0.8, 10)), wanted);
}

TEST(OneCycle, IsPyTorchs) {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3, div_factor=25,
  // final_div_factor=1e4): up in steps 0 to 2, down in 2 to 9, by
  // end + (start - end) / 2 * (1 + cos(pi * pct)).
  std::vector<double> wanted = {0.04, 0.52};
  for (int step = 2; step < 10; ++step) {
    wanted.push_back(4e-6 + (1 - 4e-6) / 2 * (1 + std::cos(M_PI * (step - 2) / 7)));
  }
  EXPECT_NEAR(wanted[2], 1, 1e-15);
  EXPECT_NEAR(wanted[9], 4e-6, 1e-15);
  expect_factors("type: one_cycle", wanted);
  EXPECT_NEAR(make_schedule("type: one_cycle, rise: 1, warmup_steps: 0").factor(9, 10), 1, 1e-12);
}

TEST(Constant, StaysAtThePeakAfterTheWarmUp) {
  const auto schedule = make_schedule("type: constant, warmup_steps: 2");
  EXPECT_DOUBLE_EQ(schedule.factor(0, 10), 0.5);
  for (int64_t step = 1; step <= 10; ++step) EXPECT_DOUBLE_EQ(schedule.factor(step, 10), 1);
}

TEST(Plateau, FallsAfterValidationsThatAreNoBetter) {
  const auto made = make_schedule(
      "type: plateau, factor: 0.5, patience: 2, min_change: 0.1, min_ratio: 0.2, warmup_steps: 0");
  Schedule& schedule = *made.after;
  const auto after = [&](double value) {
    schedule.observe(value);
    return schedule.factor(7, 10);
  };
  EXPECT_EQ(after(-5), 1);
  EXPECT_EQ(after(-4), 1);
  EXPECT_EQ(after(-3.95), 1);  // not by 0.1 better
  EXPECT_EQ(after(-3.8), 1);   // but this is
  EXPECT_EQ(after(-3.8), 1);
  EXPECT_EQ(after(-9), 0.5);
  EXPECT_EQ(after(-9), 0.5);  // a new wait
  EXPECT_EQ(after(-3.75), 0.25);
  const auto state = schedule.state();
  EXPECT_EQ(after(-9), 0.25);
  EXPECT_EQ(after(-9), 0.2);
  schedule.load_state(state);
  EXPECT_EQ(schedule.state(), state);
  EXPECT_EQ(after(-9), 0.25);
  EXPECT_EQ(after(-3), 0.25);
  EXPECT_EQ(after(-3), 0.25);
  schedule.reset();
  EXPECT_EQ(schedule.factor(7, 10), 1);
  EXPECT_EQ(after(-1e9), 1);  // any value is better than none
  EXPECT_EQ(after(-1e9), 1);
  const auto fresh = make_schedule("type: plateau");
  fresh.after->load_state(fresh.after->state());
  fresh.after->observe(-1e9);
  EXPECT_EQ(fresh.after->state().at("best"), -1e9);
}

}  // namespace
}  // namespace limbeck::test
