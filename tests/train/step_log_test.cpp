#include "train/step_log.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

namespace limbeck::test {
namespace {

StepReport report(double cosine, double loss, double norm, double lr) {
  StepReport report;
  report.losses.parts = {{"cosine", at::full({}, cosine, at::kDouble)}};
  report.losses.total = at::full({}, loss, at::kDouble);
  report.gradient_norms = {{"gradient_norm", at::full({}, norm, at::kDouble)}};
  report.skipped = at::full({}, std::isfinite(loss) ? 0 : 1, at::kDouble);
  report.lr = lr;
  return report;
}

TEST(PendingSteps, HandsOverEveryStepOnceTheCauseBeforeTheSum) {
  PendingSteps pending;
  Batch batch;
  batch.size = 2;
  batch.noisy = {1, 2};
  pending.keep(4, report(0.1, 1.5, 2, 0.01), {batch});
  pending.keep(5, report(0.2, NAN, 3, 0.02), {batch, batch});
  const auto steps = pending.read();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].step, 4);
  EXPECT_EQ(steps[1].lr, 0.02);
  EXPECT_THAT(steps[0].values,
              testing::ElementsAre(testing::Pair("cosine", 0.1), testing::Pair("loss", 1.5),
                                   testing::Pair("gradient_norm", 2.0)));
  EXPECT_TRUE(std::isnan(steps[1].values[1].second));
  EXPECT_FALSE(steps[0].skipped);
  EXPECT_TRUE(steps[1].skipped);
  EXPECT_EQ(steps[1].cause(), "loss is nan");
  ASSERT_EQ(steps[1].batches.size(), 2U);
  EXPECT_EQ(steps[1].batches[0].size, 2);
  EXPECT_TRUE(steps[1].batches[0].noisy.empty());
  EXPECT_TRUE(pending.read().empty());
}

TEST(StepSums, AreOfTheStepsThatHaveAValueAndGoOnToTheBit) {
  StepSums whole;
  whole.add({7, 0.1, {{"loss", 0.1}, {"gradient_norm", 5}, {"cosine", NAN}}});
  whole.add({8, 0.2, {{"loss", 0.7}, {"gradient_norm", 3}, {"cosine", 4}}});
  StepSums resumed;
  resumed.load_state(nlohmann::json::parse(whole.state().dump(2)));
  EXPECT_EQ(resumed.line().dump(), whole.line().dump());
  for (StepSums* sums : {&whole, &resumed}) sums->add({9, 0.3, {{"loss", 1.0 / 3}}});
  EXPECT_EQ(resumed.line().dump(), whole.line().dump());
  const nlohmann::json expected = {{"step", 9},
                                   {"split", "train"},
                                   {"steps", 3},
                                   {"lr", 0.3},
                                   {"loss", (0.1 + 0.7 + 1.0 / 3) / 3},
                                   {"gradient_norm", 4.0},
                                   {"max_gradient_norm", 5.0},
                                   {"cosine", 4.0}};
  EXPECT_EQ(whole.line(), expected);
}

TEST(TerminalText, HoldsWhatALineTells) {
  nlohmann::json line = {{"step", 9},
                         {"split", "train"},
                         {"steps", 3},
                         {"epoch", 0.5},
                         {"lr", 0.003},
                         {"loss", 1.25},
                         {"cosine", 0.5},
                         {"si_sdr", -2},
                         {"gradient_norm", 4.0},
                         {"max_gradient_norm", 5.0}};
  EXPECT_EQ(terminal_text(line),
            "epoch 0.50  loss 1.25 (cosine 0.5 si_sdr -2)  lr 0.003  gradient_norm 4");
  line["timing"] = {{"audio_seconds_per_second", 123.4},
                    {"waiting", 0.034},
                    {"memory_mib", 812.3},
                    {"device_memory_mib", 2345.6}};
  EXPECT_THAT(terminal_text(line),
              testing::EndsWith("  123 s audio/s  waiting 3.4 %  812 MiB, GPU 2346 MiB"));
}

}  // namespace
}  // namespace limbeck::test
