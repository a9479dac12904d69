#include "objective/balance.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "nn/support.h"
#include "objective/phases.h"

namespace limbeck::test {
namespace {

using objective::Balance;
using objective::BalanceOptions;
using objective::find_stretch;
using objective::GradientNorms;
using objective::PhaseOptions;
using objective::plan_step;
using objective::StepPlan;

StepPlan both(int64_t joint_step) { return {true, true, joint_step}; }

GradientNorms norms(double task, double term) {
  return {torch::tensor(task, torch::kDouble), torch::tensor(term, torch::kDouble)};
}

TEST(Phases, FollowOneAnotherAndCountTheStepsThatTrainBoth) {
  const std::vector<PhaseOptions> phases = {
      {2, false, true}, {3, true, true}, {1, true, false}, {0, true, true}};
  struct Wanted {
    bool task, distill;
    int64_t joint_step;
  };
  const Wanted wanted[] = {{false, true, 0}, {false, true, 0}, {true, true, 0},
                           {true, true, 1},  {true, true, 2},  {true, false, 3},
                           {true, true, 3},  {true, true, 4},  {true, true, 5}};
  for (int64_t step = 0; step < 9; ++step) {
    const StepPlan plan = plan_step(phases, step);
    EXPECT_EQ(plan.task, wanted[step].task) << step;
    EXPECT_EQ(plan.distill, wanted[step].distill) << step;
    EXPECT_EQ(plan.joint_step, wanted[step].joint_step) << step;
  }
  EXPECT_TRUE(plan_step({}, 7).joint());
  EXPECT_EQ(plan_step({}, 7).joint_step, 7);
}

TEST(Phases, OneThatGoesOnSharesTheStretchOfTheOneBefore) {
  const std::vector<PhaseOptions> phases = {
      {2, false, true}, {3, true, true, false}, {1, true, false}, {0, true, true, false}};
  const auto expect = [](const objective::Stretch& stretch, int64_t first, int64_t steps) {
    EXPECT_EQ(stretch.first_step, first);
    EXPECT_EQ(stretch.steps, steps);
  };
  for (int64_t step = 0; step < 12; ++step) {
    SCOPED_TRACE(step);
    expect(find_stretch(phases, step, 12), step < 5 ? 0 : 5, step < 5 ? 5 : 7);
    expect(find_stretch({}, step, 12), 0, 12);
    expect(find_stretch({{4, false, true}, {}}, step, 12), step < 4 ? 0 : 4, step < 4 ? 4 : 8);
  }
}

TEST(GradientNorms, AreOverTheParametersThatBothReach) {
  const auto a = torch::tensor({1.0, 2.0}).requires_grad_();
  const auto b = torch::tensor({3.0, -1.0}).requires_grad_();
  const auto c = torch::tensor({5.0}).requires_grad_();
  const auto task = (a * a).sum() + 7 * b.sum();                    // 2a, 7; not c
  const auto first = (a * torch::tensor({3.0, 4.0})).sum() + c[0];  // of a and c
  const auto second = 0 * b.sum() + 2 * a[0];  // reaches b, though with a gradient of zero
  const auto third = 4 * c.sum();              // nothing in common
  const auto all = objective::gradient_norms(task, {first, second, third}, {a, b, c});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NEAR(all[0].task.item<double>(), std::sqrt(4.0 + 16), 1e-6);
  EXPECT_NEAR(all[0].term.item<double>(), 5, 1e-6);
  EXPECT_NEAR(all[1].task.item<double>(), std::sqrt(4.0 + 16 + 2 * 49), 1e-5);
  EXPECT_NEAR(all[1].term.item<double>(), 2, 1e-6);
  EXPECT_EQ(all[2].task.item<double>(), 0);
  EXPECT_EQ(all[2].term.item<double>(), 0);
  // The graphs are still there, and nothing was left in the parameters.
  EXPECT_FALSE(a.grad().defined());
  (task + first).backward();
  EXPECT_NEAR(a.grad()[0].item<double>(), 2 + 3, 1e-6);
}

TEST(Balance, SetsTheRatioOverTheFirstStepsAndFreezesIt) {
  Balance balance({"gradient_ratio", 0.5, 2}, {"a", "b"});
  EXPECT_TRUE(balance.calibrates(both(0)));
  balance.add({norms(3, 1), norms(8, 16)});
  EXPECT_DOUBLE_EQ(balance.factor(0, both(0), at::kCPU).item<double>(), 0.5 * 3);
  EXPECT_DOUBLE_EQ(balance.factor(1, both(0), at::kCPU).item<double>(), 0.5 * 8 / 16);
  EXPECT_TRUE(balance.calibrates(both(1)));
  balance.add({norms(1, 4), norms(0, 0)});
  EXPECT_FALSE(balance.calibrates(both(2)));
  for (const int64_t step : {1, 2, 1000}) {
    EXPECT_DOUBLE_EQ(balance.factor(0, both(step), at::kCPU).item<double>(),
                     0.5 * (3 + 1) / (1 + 4));
    EXPECT_DOUBLE_EQ(balance.factor(1, both(step), at::kCPU).item<double>(), 0.5 * 8 / 16);
  }
}

TEST(Balance, LeavesStepsOfTheTermsAloneAlone) {
  Balance balance({"gradient_ratio", 0.5, 2}, {"a"});
  const StepPlan alone{false, true, 0};
  EXPECT_FALSE(balance.calibrates(alone));
  EXPECT_FALSE(balance.factor(0, alone, at::kCPU).defined());
  const Balance ramp({"warmup", 0.5, 2}, {"a"});
  EXPECT_FALSE(ramp.factor(0, alone, at::kCPU).defined());
}

TEST(Balance, RampsFromTheFirstStepToOne) {
  Balance balance({"warmup", 0.5, 4}, {"a"});
  EXPECT_FALSE(balance.calibrates(both(0)));
  for (int64_t step = 0; step < 4; ++step) {
    EXPECT_DOUBLE_EQ(balance.factor(0, both(step), at::kCPU).item<double>(),
                     0.25 * static_cast<double>(step + 1));
  }
  EXPECT_FALSE(balance.factor(0, both(4), at::kCPU).defined());
}

TEST(Balance, IsOneAndKeepsNothingWhereItIsConstant) {
  Balance balance({}, {"a"});
  EXPECT_FALSE(balance.calibrates(both(0)));
  EXPECT_FALSE(balance.factor(0, both(0), at::kCPU).defined());
  EXPECT_TRUE(balance.buffers().empty());
}

TEST(Balance, ATermWithoutGradientHasNoInfiniteWeightAndIsNamed) {
  Balance balance({"gradient_ratio", 0.5, 1}, {"a", "mute"});
  balance.add({norms(3, 1), norms(3, 0)});
  EXPECT_EQ(balance.factor(1, both(0), at::kCPU).item<double>(), 0);
  balance.require_gradients(both(0));
  EXPECT_THAT(message_of<ConfigError>([&] { balance.require_gradients(both(1)); }),
              testing::StartsWith("distill.balance: mute gave the student no gradient in the "
                                  "first 1 steps"));
}

}  // namespace
}  // namespace limbeck::test
