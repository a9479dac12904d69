// Which checkpoint is the best, and when training ends early.

#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "train/tiny_run.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

/// The steps of the lines of a split, in the order of metrics.jsonl.
std::vector<int64_t> steps_of(const fs::path& run, const std::string& split) {
  std::vector<int64_t> steps;
  for (const auto& line : metrics(run)) {
    if (line["split"] == split) steps.push_back(line["step"]);
  }
  return steps;
}

TrainState train_with(const fs::path& path, const std::string& more,
                      const Dataset& dataset = Tones()) {
  return train(path, dataset, 40, 0, "", std::make_unique<Tones>(), more);
}

TEST(Selection, TheBestIsThatOfTheSelectedValue) {
  const std::map<std::string, int> signs = {
      {"si_sdr", 1}, {"loss", -1}, {"whole/ssnr", 1}, {"whole/wss", -1}, {"whole/loss", -1}};
  TempDir dir;
  for (const auto& [key, sign] : signs) {
    SCOPED_TRACE(key);
    const std::string name = key.substr(key.find('/') + 1);
    const fs::path run = dir / (name + std::to_string(key.size()));
    const TrainState state =
        train(run, Tones(), 20, 0, "", std::make_unique<Sentences>(),
              "select: " + key + ", validation: {metrics: [si_sdr, ssnr, wss]}");
    std::pair<double, int64_t> best = {-INFINITY, -1};
    for (const auto& line : metrics(run)) {
      if (line["split"] != "valid") continue;
      best = std::max(best, {sign * line[key].get<double>(), -line["step"].get<int64_t>()});
    }
    EXPECT_EQ(state.best_step, -best.second);
    EXPECT_EQ(state.best_value, sign * best.first);
    const auto found = nlohmann::json::parse(*validation_of(*RunView(run).checkpoint("last")));
    EXPECT_EQ(found["select"], key);
    EXPECT_EQ(found["best_value"], state.best_value);
    EXPECT_EQ(RunView(run).checkpoint("best")->filename(), format("step-%08d", state.best_step));
  }
}

// The first validation is a gain, and none of the others.
constexpr const char* kStopsAfterThree = "early_stop: {patience: 2, min_change: 1e6}";

TEST(Selection, StopsEarlyWithoutGainsAndIsFinishedThen) {
  TempDir dir;
  EXPECT_EQ(train_with(dir / "patient", "early_stop: {patience: 9, min_change: 1e6}").step, 40);
  const auto state = train_with(dir / "whole", kStopsAfterThree);
  EXPECT_EQ(state.step, 12);
  EXPECT_EQ(steps_of(dir / "whole", "valid"), (std::vector<int64_t>{4, 8, 12}));
  EXPECT_TRUE(RunView(dir / "whole").finished());
  const auto rows = metrics(dir / "whole");
  const Tones untouchable(0, [](Example&) { throw std::logic_error("was trained"); });
  EXPECT_EQ(train_with(dir / "whole", kStopsAfterThree, untouchable).step, 12);
  EXPECT_EQ(metrics(dir / "whole"), rows);

  for (const int64_t step : {6, 10, 11}) {
    SCOPED_TRACE(step);
    const fs::path parts = dir / std::to_string(step);
    const Tones broken(call_of(step), [](Example&) { throw DataError("the disk is gone"); });
    EXPECT_THROW(train_with(parts, kStopsAfterThree, broken), DataError);
    EXPECT_FALSE(RunView(parts).finished());
    EXPECT_EQ(train_with(parts, kStopsAfterThree).step, 12);
    expect_same_run(dir / "whole", parts, 12);
  }
}

TEST(Selection, ResumedWithAChoiceByPesqIsTheSameToTheBit) {
  TempDir dir;
  for (const char* background : {"false", "true"}) {
    SCOPED_TRACE(background);
    const fs::path whole = dir / (std::string("whole-") + background);
    const fs::path parts = dir / (std::string("parts-") + background);
    const auto train_on = [&](const fs::path& path, const Dataset& dataset) {
      return train(path, dataset, 18, 0, "", std::make_unique<Sentences>(),
                   format("select: pesq_wb, validation: {metrics: [pesq_wb, stoi], background: "
                          "%s}, early_stop: {patience: 3}",
                          background));
    };
    const auto state = train_on(whole, Tones());
    for (const int64_t step : {3, 6, 7, 6}) {  // of each sitting
      const Tones broken(call_of(step), [](Example&) { throw DataError("the disk is gone"); });
      EXPECT_THROW(train_on(parts, broken), DataError);
    }
    const auto resumed = train_on(parts, Tones());
    EXPECT_EQ(resumed.step, state.step);
    EXPECT_EQ(resumed.best_value, state.best_value);
    expect_same_run(whole, parts, state.step);
  }
}

TEST(Selection, WhatIsFoundInTheBackgroundCountsAtTheNextValidation) {
  TempDir dir;
  const std::string background = std::string(kStopsAfterThree) + ", validation: {background: true}";
  const auto state = train_with(dir / "whole", background);
  EXPECT_EQ(state.step, 16);  // what step 12 was worth is known there
  EXPECT_EQ(steps_of(dir / "whole", "valid"), (std::vector<int64_t>{4, 8, 12, 16}));
  EXPECT_TRUE(RunView(dir / "whole").finished());
  train_with(dir / "foreground", "");
  std::vector<nlohmann::json> found, expected;
  for (const auto& line : metrics(dir / "whole")) {
    if (line["split"] == "valid") found.push_back(line);
  }
  for (const auto& line : metrics(dir / "foreground")) {
    if (line["split"] == "valid" && line["step"] <= 16) expected.push_back(line);
  }
  EXPECT_EQ(found, expected);

  for (const int64_t step : {5, 10, 14}) {  // each while the scores of a validation are awaited
    SCOPED_TRACE(step);
    const fs::path parts = dir / std::to_string(step);
    const Tones broken(call_of(step), [](Example&) { throw DataError("the disk is gone"); });
    EXPECT_THROW(train_with(parts, background, broken), DataError);
    EXPECT_EQ(train_with(parts, background).step, 16);
    expect_same_run(dir / "whole", parts, 16);
  }
}

TEST(Selection, AValidationInTheBackgroundIsRepeatedWithTheStepsThatItsLineStandsBehind) {
  TempDir dir;
  const auto train_on = [](const fs::path& path) {
    return train(path, Tones(), 10, 0, "", std::make_unique<Tones>(),
                 "validation: {background: true}, keep: {last: 9}");
  };
  train_on(dir / "whole");
  fs::copy(dir / "whole", dir / "parts", fs::copy_options::recursive);
  // As if it was killed when the first validation was written down, before step 8 was saved.
  const fs::path checkpoints = dir / "parts/checkpoints";
  for (const char* later : {"step-00000008", "step-00000010"}) fs::remove_all(checkpoints / later);
  ASSERT_TRUE(validation_of(checkpoints / "step-00000004"));
  train_on(dir / "parts");
  expect_same_run(dir / "whole", dir / "parts", 10);
}

}  // namespace
}  // namespace limbeck::test
