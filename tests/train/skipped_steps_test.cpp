#include "train/skipped_steps.h"

#include <gmock/gmock.h>

namespace limbeck::test {
namespace {

using ::testing::HasSubstr;

/// The first step that is one too many, if `skips` says of each whether it is skipped; 0: none.
int64_t ended_at(const SkipLimits& limits, int64_t steps,
                 const std::function<bool(int64_t)>& skips) {
  SkippedSteps skipped(limits, steps);
  for (int64_t step = 1; step <= steps; ++step) {
    skipped.add(step, skips(step));
    if (!skipped.too_many().empty()) return step;
  }
  return 0;
}

TEST(SkippedSteps, SoManyInARowAreTooMany) {
  const SkipLimits limits{.in_a_row = 5, .share = 1};
  EXPECT_EQ(ended_at(limits, 100, [](int64_t step) { return step > 40; }), 45);
  EXPECT_EQ(ended_at(limits, 100, [](int64_t step) { return step % 5 != 0; }), 0);
  EXPECT_EQ(ended_at(limits, 100, [](int64_t) { return true; }), 5);
  EXPECT_EQ(ended_at(limits, 3, [](int64_t) { return true; }), 3) << "a run that trained nothing";
  EXPECT_EQ(ended_at(limits, 3, [](int64_t step) { return step > 1; }), 0);
}

TEST(SkippedSteps, AShareOfTheLastThousandIsTooMuchOnceAHundredAreTrained) {
  const SkipLimits limits{.in_a_row = 1000, .share = 0.1};
  EXPECT_EQ(ended_at(limits, 5000, [](int64_t step) { return step <= 11; }), 100);
  EXPECT_EQ(ended_at(limits, 5000, [](int64_t step) { return step <= 10; }), 0);
  EXPECT_EQ(ended_at(limits, 5000, [](int64_t step) { return step % 10 == 0; }), 0);
  // Of the thousand up to then, 100 were every tenth; those of before do not count.
  EXPECT_EQ(ended_at(limits, 5000,
                     [](int64_t step) { return step > 3000 && (step % 10 == 0 || step == 4995); }),
            4995);
  EXPECT_EQ(ended_at({.in_a_row = 1000, .share = 1}, 900, [](int64_t step) { return step > 1; }),
            0);
}

TEST(SkippedSteps, GoesOnFromItsState) {
  const SkipLimits limits{.in_a_row = 4, .share = 1};
  SkippedSteps first(limits, 100);
  for (int64_t step = 1; step <= 10; ++step) first.add(step, step == 3 || step >= 8);
  EXPECT_EQ(first.too_many(), "");
  SkippedSteps second(limits, 100);
  second.load_state(nlohmann::json::parse(first.state().dump()), 10);
  EXPECT_EQ(second.total(), 4);
  EXPECT_EQ(second.state(), first.state());
  second.add(11, true);
  EXPECT_THAT(second.too_many(), HasSubstr("4 steps in a row"));
  SkippedSteps third(limits, 100);
  third.load_state(first.state(), 10);
  third.add(11, false);
  third.add(12, true);
  EXPECT_EQ(third.too_many(), "");
  EXPECT_EQ(third.total(), 5);
}

TEST(SkippedSteps, OfEachExampleItIsKeptWhereItCameFrom) {
  Recipe mixture;
  mixture.id = "m";
  mixture.speech = {{"a", 5, 10}};
  mixture.noise = {{"n", 0, 4}, {"n", 0, 6}};
  mixture.snr_db = 2.5;
  Recipe pair;
  pair.id = "p";
  pair.speech = {{"p", 0, 10}};
  Batch batch;
  batch.recipes = {mixture, pair};
  batch.draws = {{3, 7, 255}, {4, 0, 1}};
  const auto text = nlohmann::json::parse(skipped_text(9, "loss is nan", {batch, batch}));
  EXPECT_EQ(text["step"], 9);
  EXPECT_EQ(text["cause"], "loss is nan");
  ASSERT_EQ(text["batches"].size(), 2U);
  ASSERT_EQ(text["batches"][1].size(), 2U);
  const auto& first = text["batches"][0][0];
  EXPECT_EQ(first["epoch"], 3);
  EXPECT_EQ(first["index"], 7);
  EXPECT_EQ(first["key"], "00000000000000ff");
  EXPECT_EQ(first["speech"], "a@5+10");
  EXPECT_EQ(first["noise"], "n@0+4;n@0+6");
  EXPECT_EQ(first["snr_db"], 2.5);
  EXPECT_FALSE(text["batches"][0][1].contains("noise"));
}

}  // namespace
}  // namespace limbeck::test
