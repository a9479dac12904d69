#include "train/skipped_steps.h"

#include <gmock/gmock.h>

#include "data/sampler.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "train/tiny_run.h"

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

void poison(Example& example) { example.noisy[100] = NAN; }

TEST(SkippedSteps, NanInputIsSkippedAndMarked) {
  TempDir dir;
  testing::internal::CaptureStderr();
  train(dir / "run", Tones(call_of(6) + 1, poison), 10);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("step 6 changed nothing: compressed_spectrum is "));
  EXPECT_THAT(said, testing::HasSubstr("1 of 10 steps changed nothing"));
  EXPECT_EQ(RunView(dir / "run").skipped(), 1);
  EXPECT_TRUE(RunView(dir / "run").finished());
  for (const auto& line : metrics(dir / "run")) {
    if (line["split"] != "train") continue;
    const int64_t step = line["step"];
    EXPECT_EQ(line.contains("skipped"), step >= 6) << step;
    EXPECT_EQ(line.contains("loss"), step != 6) << step;
    EXPECT_EQ(line.contains("lr"), true);
  }
  const auto kept = nlohmann::json::parse(read_file(dir / "run/diverged/step-00000006.json"));
  EXPECT_THAT(kept["cause"].get<std::string>(), testing::StartsWith("compressed_spectrum is "));
  ASSERT_EQ(kept["batches"].size(), 1U);
  ASSERT_EQ(kept["batches"][0].size(), 3U);
  EpochPlan plan(SeedKey(1), 7);
  for (int64_t i = 0; i < kBatch; ++i) {
    const auto& example = kept["batches"][0][static_cast<size_t>(i)];
    EXPECT_EQ(example["epoch"], plan.epoch_of(call_of(6) + i));
    EXPECT_EQ(example["index"], plan.index_at(call_of(6) + i));
    EXPECT_EQ(example["id"], std::to_string(plan.index_at(call_of(6) + i)));
    EXPECT_EQ(example["key"], format("%016x", plan.key_at(call_of(6) + i).value()));
  }
}

/// As Tones, whose every example from call `first` on is poisoned.
class Poison : public Tones {
 public:
  explicit Poison(int64_t first) : first_(first) {}
  Example get(int64_t index, SeedKey key) const override {
    Example example = Tones::get(index, key);
    if (calls_++ >= first_) poison(example);
    return example;
  }

 private:
  int64_t first_;
  mutable int64_t calls_ = 0;
};

TEST(SkippedSteps, ManyInATrainingEndItWithTheCheckpointKept) {
  TempDir dir;
  const auto message = message_of<DivergenceError>([&] {
    train(dir / "run", Poison(call_of(6)), 20, 0, "", std::make_unique<Tones>(),
          "max_skipped: {in_a_row: 2}");
  });
  EXPECT_THAT(message, testing::StartsWith("training diverged: 2 steps in a row had no finite loss "
                                           "and gradient (train.max_skipped.in_a_row); in step 7 "
                                           "compressed_spectrum is "));
  const auto last = RunView(dir / "run").checkpoint("last");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->filename(), "step-00000004");
  for (const auto& [name, tensor] : nn::state_of(*nn::read_model(*last / "model.safetensors"))) {
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
  }
  EXPECT_EQ(metrics(dir / "run").back()["step"], 6);
}

TEST(SkippedSteps, ATrainingOfSkippedStepsAloneHasDiverged) {
  TempDir dir;
  const auto message = message_of<DivergenceError>([&] { train(dir / "run", Poison(0), 5); });
  EXPECT_THAT(message, testing::StartsWith("training diverged: 5 steps in a row"));
  EXPECT_FALSE(RunView(dir / "run").checkpoint("last").has_value() &&
               RunView(dir / "run").finished());
}

}  // namespace
}  // namespace limbeck::test
