// What a training that ended early leaves, and how it goes on.

#include <csignal>

#include "data/sampler.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/safetensors.h"
#include "limbeck/run/run_view.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/shared_dir.h"
#include "train/tiny_run.h"
#include "train/trainer.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Four examples, of which one call, from 0, does something else: calls 4 to 7 are those of the
/// second validation.
std::unique_ptr<Dataset> validation(int64_t call, std::function<void(Example&)> special) {
  return std::make_unique<Tones>(call, std::move(special));
}

TEST(Resume, WhatValidationCannotReadCostsNoStep) {
  TempDir dir;
  train(dir / "whole", Tones(), 10);
  const auto gone = [](Example&) { throw DataError("the disk is gone"); };
  EXPECT_THROW(train(dir / "parts", Tones(), 10, 0, "", validation(5, gone)), DataError);
  EXPECT_EQ(RunView(dir / "parts").checkpoint("last")->filename(), "step-00000008");
  EXPECT_EQ(RunView(dir / "parts").checkpoint("best")->filename(), "step-00000004");
  // And again: it is validation that is repeated, not a step.
  const Tones untouchable(0, [](Example&) { throw std::logic_error("was trained"); });
  EXPECT_THROW(train(dir / "parts", untouchable, 10, 0, "", validation(0, gone)), DataError);
  train(dir / "parts", Tones(), 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Resume, ARunIsFinishedOnceItsLastStepIsValidated) {
  TempDir dir;
  train(dir / "whole", Tones(), 8);
  const auto gone = [](Example&) { throw DataError("the disk is gone"); };
  EXPECT_THROW(train(dir / "parts", Tones(), 8, 0, "", validation(5, gone)), DataError);
  EXPECT_FALSE(RunView(dir / "parts").finished());
  const Tones untouchable(0, [](Example&) { throw std::logic_error("was trained"); });
  train(dir / "parts", untouchable, 8);
  EXPECT_TRUE(RunView(dir / "parts").finished());
  expect_same_run(dir / "whole", dir / "parts", 8);
}

/// Tones, of which those at some positions of a training (from 0), whenever they come, are
/// something else.
class SpecialTones : public Tones {
 public:
  explicit SpecialTones(const std::map<int64_t, std::function<void(Example&)>>& by_position) {
    EpochPlan plan(SeedKey(1), size());
    for (const auto& [position, special] : by_position) {
      specials_[plan.key_at(position).value()] = special;
    }
  }
  Example get(int64_t index, SeedKey key) const override {
    Example example = Tones::get(index, key);
    const auto special = specials_.find(key.value());
    if (special != specials_.end()) special->second(example);
    return example;
  }

 private:
  std::map<uint64_t, std::function<void(Example&)>> specials_;
};

/// Entries of section train, with each of which a run is the same to the bit however often it ends.
std::vector<std::string> resumed_options() {
  std::vector<std::string> all = {
      "accumulate: 2",
      "accumulate: 3, optimizer: {type: sgd}, ema: {decay: 0.5}",
      "ema: {decay: 0.9}",
      "adapter_lr: 0.5, clip: none",
      "schedule: {type: plateau, patience: 1, min_change: 1000}, validate_every: 2",
      "schedule: {type: plateau, patience: 1}, ema: {decay: 0.5}, accumulate: 2"};
  for (const std::string& name : optimizers().names())
    all.push_back("optimizer: {type: " + name + "}");
  for (const std::string& name : schedules().names())
    all.push_back("schedule: {type: " + name + "}");
  return all;
}

class ResumedWith : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, ResumedWith, testing::ValuesIn(resumed_options()));

TEST_P(ResumedWith, AnyOptionARunIsTheSameToTheBit) {
  const std::string& options = GetParam();
  const size_t found = options.find("accumulate: ");
  const int64_t batches = found == std::string::npos ? 1 : options[found + 12] - '0';
  const auto poison = [](Example& example) { example.noisy[100] = NAN; };
  const auto gone = [](Example&) { throw std::runtime_error("gone"); };
  // Of the skipped steps one is before the checkpoint that is gone on from, the other after it.
  const int64_t step = batches * kBatch;
  const std::map<int64_t, std::function<void(Example&)>> poisoned = {{2 * step + 1, poison},
                                                                     {4 * step + step - 1, poison}};
  auto and_gone = poisoned;
  and_gone[6 * step + step - 1] = gone;  // in step 7, in its last batch
  TempDir dir;
  const auto train_in = [&](const std::string& name, const Dataset& data,
                            std::unique_ptr<Dataset> valid = std::make_unique<Tones>()) {
    train(dir / name, data, 10, 0, "", std::move(valid), options);
  };
  train_in("whole", SpecialTones(poisoned));
  EXPECT_EQ(RunView(dir / "whole").skipped(), 2);
  EXPECT_THROW(train_in("parts", SpecialTones(and_gone)), std::runtime_error);
  // Saved, and not validated.
  EXPECT_THROW(train_in("parts", SpecialTones(poisoned), validation(1, gone)), std::runtime_error);
  train_in("parts", SpecialTones(poisoned));
  expect_same_run(dir / "whole", dir / "parts", 10);
  for (const int64_t skipped : {3, 5}) {
    const std::string file = format("diverged/step-%08d.json", skipped);
    EXPECT_EQ(read_file(dir / "whole" / file), read_file(dir / "parts" / file));
  }
}

TEST(Trainer, TheAverageOfTheWeightsIsWhatIsValidatedAndSaved) {
  TempDir dir;
  const auto train_in = [&](const std::string& name, const std::string& options) {
    train(dir / name, Tones(), 4, 0, "", std::make_unique<Tones>(), options);
  };
  train_in("plain", "");
  train_in("average", "ema: {decay: 0.9}");
  const fs::path last = "checkpoints/step-00000004";
  EXPECT_FALSE(fs::exists(dir / "plain" / last / "training.safetensors"));
  const auto plain = read_safetensors(dir / "plain" / last / "model.safetensors").tensors;
  const auto trained = read_safetensors(dir / "average" / last / "training.safetensors").tensors;
  const auto average = read_safetensors(dir / "average" / last / "model.safetensors").tensors;
  ASSERT_EQ(average.size(), plain.size());
  for (const auto& [name, tensor] : plain) {
    EXPECT_TRUE(same_bits(trained.at(name), tensor)) << name << ": training is the same";
    const bool is_statistic = name.find("running_") != std::string::npos;
    EXPECT_EQ(same_bits(average.at(name), tensor), is_statistic) << name;
  }
  const auto of_plain = metrics(dir / "plain"), of_average = metrics(dir / "average");
  EXPECT_EQ(of_plain[3]["loss"], of_average[3]["loss"]);
  EXPECT_NE(of_plain[4]["loss"], of_average[4]["loss"]) << "validation is of the average";
}

TEST(Trainer, AStepTakesAsManyBatchesAsAreAccumulated) {
  TempDir dir;
  std::vector<std::string> ids;
  const SpecialTones counted([&] {
    std::map<int64_t, std::function<void(Example&)>> all;
    for (int64_t i = 0; i < 100; ++i) {
      all[i] = [&ids](Example& e) { ids.push_back(e.recipe.id); };
    }
    return all;
  }());
  train(dir / "run", counted, 4, 0, "", std::make_unique<Tones>(), "accumulate: 3");
  EpochPlan plan(SeedKey(1), 7);
  std::vector<std::string> wanted;
  for (int64_t i = 0; i < 4 * 3 * kBatch; ++i) wanted.push_back(std::to_string(plan.index_at(i)));
  EXPECT_EQ(ids, wanted);
}

TEST(Resume, WithoutAUsableCheckpointNothingIsStartedOver) {
  TempDir dir;
  const Tones broken(call_of(7), [](Example&) { throw DataError("gone"); });
  EXPECT_THROW(train(dir / "run", broken, 10), DataError);
  const fs::path checkpoint = dir / "run/checkpoints/step-00000004";
  const std::string model = read_file(checkpoint / "model.safetensors");
  const auto rows = metrics(dir / "run");
  ASSERT_EQ(rows.size(), 7U);
  const auto refused = [&](const std::string& why) {
    const auto message = message_of<CheckpointError>([&] { train(dir / "run", Tones(), 10); });
    EXPECT_THAT(message, HasSubstr("none of its checkpoints can be used"));
    EXPECT_THAT(message, HasSubstr("step-00000004: " + why));
    EXPECT_THAT(message, HasSubstr("--restart"));
    EXPECT_EQ(metrics(dir / "run"), rows);
  };
  put_text(checkpoint / "model.safetensors", "torn");
  refused("model.safetensors: another size");
  EXPECT_EQ(read_file(checkpoint / "model.safetensors"), "torn");
  fs::rename(checkpoint, dir / "kept");
  refused("manifest.json: missing");  // which last.json points to
  fs::rename(dir / "kept", checkpoint);
  put_text(checkpoint / "model.safetensors", model);
  train(dir / "whole", Tones(), 10);
  train(dir / "run", Tones(), 10);
  expect_same_run(dir / "whole", dir / "run", 10);
}

/// Trains in a process of its own, in which a SIGINT comes, and expects that it ends by it.
void expect_interrupted(const std::function<void()>& body) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        catch_interrupts();
        try {
          body();
        } catch (const Interrupted& e) {
          std::_Exit(e.exit_code());
        }
      },
      testing::ExitedWithCode(130), "");
}

TEST(ResumeDeathTest, AnInterruptEndsValidationAtOnceWhichIsRepeated) {
  const SharedDir dir;
  expect_interrupted([&] {
    auto items = validation(4, [](Example&) { std::raise(SIGINT); });
    train(dir / "parts", Tones(), 10, 0, "", std::move(items));
  });
  EXPECT_EQ(RunView(dir / "parts").checkpoint("last")->filename(), "step-00000008");
  EXPECT_EQ(metrics(dir / "parts").back()["split"], "train");
  train(dir / "parts", Tones(), 10);
  train(dir / "whole", Tones(), 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(ResumeDeathTest, AnInterruptWaitsForScoresOfTheBackground) {
  const auto train_on = [](const fs::path& path, const Dataset& dataset) {
    train(path, dataset, 20, 0, "", std::make_unique<Sentences>(),
          "select: stoi, validation: {metrics: [stoi, si_sdr], background: true}");
  };
  const SharedDir dir;
  expect_interrupted([&] {
    const Tones interrupted(call_of(10), [](Example&) { std::raise(SIGINT); });
    train_on(dir / "parts", interrupted);
  });
  // Its checkpoint knows what the one before, which may be gone by now, was worth.
  const auto last = RunView(dir / "parts").checkpoint("last");
  EXPECT_EQ(last->filename(), "step-00000010");
  EXPECT_TRUE(nlohmann::json::parse(read_file(*last / "state.json"))["found"].contains("news"));
  EXPECT_EQ(metrics(dir / "parts").back()["step"], 8);
  train_on(dir / "parts", Tones());
  train_on(dir / "whole", Tones());
  // The line of step 8 stands where its scores were taken; all else is the same to the bit.
  const auto sorted = [&](const std::string& run) {
    auto lines = metrics(dir / run);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  EXPECT_EQ(sorted("parts"), sorted("whole"));
  for (const char* file : {"checkpoints/step-00000020/model.safetensors",
                           "checkpoints/step-00000020/optimizer.safetensors", "best.json"}) {
    EXPECT_EQ(hash_file(dir / "parts" / file), hash_file(dir / "whole" / file)) << file;
  }
}

}  // namespace
}  // namespace limbeck::test
