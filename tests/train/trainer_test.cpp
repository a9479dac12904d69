#include "train/trainer.h"

#include <csignal>

#include "data/sampler.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "train/tiny_run.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

TEST(Trainer, ResumedAfterACrashIsTheSameToTheBit) {
  TempDir dir;
  train(dir / "whole", Tones(), 10);
  // Dies while step 7 is made: the last checkpoint is that of step 4, and two later lines stand in
  // metrics.jsonl.
  const Tones broken(call_of(7), [](Example&) { throw DataError("the disk is gone"); });
  EXPECT_THROW(train(dir / "parts", broken, 10), DataError);
  ASSERT_EQ(metrics(dir / "parts").back()["step"], 6);
  const auto state = train(dir / "parts", Tones(), 10);
  EXPECT_EQ(state.step, 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Trainer, ResumedInTheMidstOfCalibrationAndPhasesIsTheSameToTheBit) {
  // The checkpoint of step 4, from which training goes on, lies within what is measured.
  const char* const kinds[] = {"balance: {mode: gradient_ratio, steps: 6}",
                               ("balance: {mode: gradient_ratio, steps: 3}\n"
                                "phases: [{steps: 2, task: false}, {steps: 6}, {distill: false}]"),
                               "balance: {mode: warmup, steps: 8}",
                               // A phase begins at the checkpoint, after it, and without a restart.
                               "phases: [{steps: 4, task: false}, {}]",
                               "phases: [{steps: 5, task: false}, {distill: false}]",
                               "phases: [{steps: 4, task: false}, {restart: false}]"};
  for (const std::string kind : kinds) {
    SCOPED_TRACE(kind);
    TempDir dir;
    train(dir / "whole", Tones(), 10, 0, kind);
    const Tones broken(call_of(7), [](Example&) { throw DataError("the disk is gone"); });
    EXPECT_THROW(train(dir / "parts", broken, 10, 0, kind), DataError);
    train(dir / "parts", Tones(), 10, 0, kind);
    expect_same_run(dir / "whole", dir / "parts", 10);
  }
}

TEST(Trainer, LambdaIsLoggedAndFrozenAfterCalibration) {
  TempDir dir;
  train(dir / "run", Tones(), 8, 0, "balance: {mode: gradient_ratio, target: 0.5, steps: 3}");
  std::vector<double> lambdas;
  for (const auto& line : metrics(dir / "run")) {
    if (line["split"] == "train") lambdas.push_back(line["lambda_cosine"]);
  }
  ASSERT_EQ(lambdas.size(), 8u);
  EXPECT_NE(lambdas[0], lambdas[1]);
  EXPECT_NE(lambdas[1], lambdas[2]);
  for (size_t i = 3; i < 8; ++i) EXPECT_EQ(lambdas[i], lambdas[2]) << i;
  EXPECT_GT(lambdas[2], 0);
}

TEST(Trainer, APhaseHasAWarmUpOfItsOwn) {
  TempDir dir;
  train(dir / "run", Tones(), 10, 0, "phases: [{steps: 4, task: false}, {distill: false}]");
  std::vector<double> rates;
  for (const auto& line : metrics(dir / "run")) {
    if (line["split"] != "train") continue;
    EXPECT_TRUE(line.contains("gradient_norm"));
    EXPECT_EQ(line.contains("gradient_norm_cosine"), rates.size() < 4);
    rates.push_back(line["lr"]);
  }
  ASSERT_EQ(rates.size(), 10u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_DOUBLE_EQ(rates[i], 5e-3 * static_cast<double>(i + 1) / 3);
    EXPECT_EQ(rates[4 + i], rates[i]) << i;
  }
  EXPECT_LT(rates[9], rates[8]);
}

TEST(Trainer, WithoutTheTaskTheDecoderStaysAsItWas) {
  TempDir dir;
  train(dir / "run", Tones(), 4, 0, "phases: [{steps: 5, task: false}, {}]");
  const auto fresh =
      nn::state_of(*nn::build_model(model_config("temporal: {type: gru, hidden: 4}"), SeedKey(1)));
  const auto trained = nn::state_of(*nn::read_model(RunView(dir / "run").model_file("last")));
  for (const auto& [name, tensor] : fresh) {
    if (name.find("running") != std::string::npos) continue;
    const bool beyond =
        name.starts_with("decoder") || name.starts_with("head") || name.starts_with("latent_out");
    EXPECT_EQ(same_bits(tensor.detach(), trained.at(name).detach()), beyond) << name;
  }
}

TEST(Trainer, WorkersChangeNothing) {
  TempDir dir;
  train(dir / "none", Tones(), 5);
  train(dir / "two", Tones(), 5, 2);
  expect_same_run(dir / "none", dir / "two", 5);
}

TEST(Trainer, ALineOfMetricsTellsMeansSinceTheLineBefore) {
  TempDir dir;
  train(dir / "each", Tones(), 9);
  train(dir / "means", Tones(), 9, 0, "", std::make_unique<Tones>(), "log_every: 3");
  std::vector<nlohmann::json> each;
  for (const auto& line : metrics(dir / "each")) {
    if (line["split"] == "train") each.push_back(line);
  }
  size_t lines = 0;
  for (const auto& line : metrics(dir / "means")) {
    if (line["split"] != "train") continue;
    SCOPED_TRACE(line.dump());
    ++lines;
    EXPECT_EQ(line["step"], 3 * lines);
    EXPECT_EQ(line["steps"], 3);
    EXPECT_DOUBLE_EQ(line["epoch"], 3.0 * static_cast<double>(kBatch * lines) / 7);
    EXPECT_EQ(line["lr"], each[3 * lines - 1]["lr"]);
    for (const char* key : {"loss", "si_sdr", "cosine", "gradient_norm", "gradient_norm_cosine"}) {
      double sum = 0;
      double most = 0;
      for (size_t i = 3 * (lines - 1); i < 3 * lines; ++i) {
        sum += each[i][key].get<double>();
        most = std::max(most, each[i][key].get<double>());
      }
      EXPECT_EQ(line[key], sum / 3) << key;
      if (line.contains("max_" + std::string(key))) {
        EXPECT_EQ(line["max_" + std::string(key)], most) << key;
      }
    }
    EXPECT_TRUE(line.contains("max_gradient_norm"));
    EXPECT_TRUE(line.contains("max_gradient_norm_cosine"));
  }
  EXPECT_EQ(lines, 3U);
}

TEST(Trainer, LinesDoNotTellWhereTrainingWasInterrupted) {
  TempDir dir;
  const std::string every = "log_every: 3";
  train(dir / "whole", Tones(), 10, 0, "", std::make_unique<Tones>(), every);
  // The checkpoint of step 4, from which training goes on, lies between two lines.
  const Tones broken(call_of(7), [](Example&) { throw DataError("the disk is gone"); });
  EXPECT_THROW(train(dir / "parts", broken, 10, 0, "", std::make_unique<Tones>(), every),
               DataError);
  train(dir / "parts", Tones(), 10, 0, "", std::make_unique<Tones>(), every);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Trainer, WhatDependsOnTheTimeIsKeptApart) {
  TempDir dir;
  train(dir / "run", Tones(), 4);
  std::istringstream in(read_file(dir / "run" / "metrics.jsonl"));
  for (std::string text; std::getline(in, text);) {
    const auto line = nlohmann::json::parse(text);
    EXPECT_GT(line.at("timing").at("seconds"), 0);
    if (line["split"] != "train") continue;
    const auto& timing = line["timing"];
    EXPECT_GT(timing.at("memory_mib"), 10);
    EXPECT_GT(timing.at("steps_per_second"), 0);
    // 3 segments of 480 samples, one of which may have 300.
    const double audio = timing.at("audio_seconds_per_second").get<double>() /
                         timing.at("steps_per_second").get<double>();
    EXPECT_GE(audio, 1260.0 / 16000 - 1e-9);
    EXPECT_LE(audio, 1440.0 / 16000 + 1e-9);
    EXPECT_GE(timing.at("waiting"), 0);
    EXPECT_LT(timing.at("waiting"), 1);
  }
}

TEST(Trainer, AFinishedRunIsNotTrainedAgain) {
  TempDir dir;
  const auto first = train(dir / "run", Tones(), 5);
  const auto before = read_file(dir / "run" / "metrics.jsonl");
  const Tones untouchable(0, [](Example&) { throw DataError("was read"); });
  const auto second = train(dir / "run", untouchable, 5);
  EXPECT_EQ(second.step, 5);
  EXPECT_EQ(second.best_step, first.best_step);
  EXPECT_EQ(second.best_value, first.best_value);
  EXPECT_EQ(read_file(dir / "run" / "metrics.jsonl"), before);
}

TEST(Trainer, ATornLastCheckpointFallsBackToTheOneBefore) {
  TempDir dir;
  train(dir / "whole", Tones(), 10);
  const auto die_at = [&](int64_t step) {
    const Tones broken(call_of(step), [](Example&) { throw DataError("gone"); });
    EXPECT_THROW(train(dir / "parts", broken, 10), DataError);
  };
  const fs::path checkpoints = dir / "parts" / "checkpoints";
  die_at(6);
  fs::copy(checkpoints / "step-00000004", dir / "kept", fs::copy_options::recursive);
  fs::remove_all(dir / "parts");
  die_at(10);
  ASSERT_TRUE(fs::exists(checkpoints / "step-00000008"));
  if (!fs::exists(checkpoints / "step-00000004"))
    fs::rename(dir / "kept", checkpoints / "step-00000004");
  put_text(checkpoints / "step-00000008" / "model.safetensors", "torn");
  // The data of step 5 are asked for first: training did not start over.
  bool asked = false;
  const Tones from_step_5(0, [&](Example& e) {
    asked = true;
    EpochPlan plan(SeedKey(1), 7);
    EXPECT_EQ(e.recipe.id, std::to_string(plan.index_at(call_of(5))));
  });
  testing::internal::CaptureStderr();
  train(dir / "parts", from_step_5, 10);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("step-00000008: model.safetensors: another size"));
  EXPECT_TRUE(asked);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Trainer, LossFallsAndIsWrittenDown) {
  TempDir dir;
  const auto state = train(dir / "run", Tones(), 60);
  std::vector<double> losses, distances;
  std::vector<nlohmann::json> valid;
  for (const auto& line : metrics(dir / "run")) {
    if (line["split"] == "valid") {
      valid.push_back(line);
      continue;
    }
    EXPECT_EQ(line["step"], losses.size() + 1);
    EXPECT_NEAR(line["loss"].get<double>(),
                line["compressed_spectrum"].get<double>() + 0.01 * line["si_sdr"].get<double>() +
                    0.3 * line["cosine"].get<double>(),
                1e-5);
    EXPECT_GT(line["gradient_norm"].get<double>(), 0);
    EXPECT_GT(line["lr"].get<double>(), 0);
    losses.push_back(line["loss"]);
    distances.push_back(line["cosine"]);
  }
  ASSERT_EQ(losses.size(), 60u);
  ASSERT_EQ(valid.size(), 15u);
  const auto mean = [](const std::vector<double>& v, size_t first) {
    return std::accumulate(v.begin() + static_cast<std::ptrdiff_t>(first),
                           v.begin() + static_cast<std::ptrdiff_t>(first) + 10, 0.0) /
           10;
  };
  EXPECT_LT(mean(losses, 50), 0.7 * mean(losses, 0));
  EXPECT_LT(mean(distances, 50), 0.8 * mean(distances, 0));
  EXPECT_LT(valid.back()["loss"].get<double>(), valid.front()["loss"].get<double>());
  EXPECT_EQ(valid.back()["si_sdr_noisy"], valid.front()["si_sdr_noisy"]);
  double best = -INFINITY;
  for (const auto& line : valid) best = std::max(best, line["si_sdr"].get<double>());
  EXPECT_EQ(state.best_value, best);
}

TEST(TrainerDeathTest, AnInterruptSavesAndTheRunGoesOnToTheSameBits) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The child is this test run afresh up to EXPECT_EXIT; it finds the parent's folder in the
  // environment.
  constexpr const char* kVariable = "LIMBECK_TEST_INTERRUPTED_RUN";
  std::optional<TempDir> dir;
  if (std::getenv(kVariable) == nullptr) {
    dir.emplace();
    ::setenv(kVariable, (*dir / "parts").c_str(), 1);
  }
  const fs::path run = std::getenv(kVariable);
  EXPECT_EXIT(
      {
        catch_interrupts();
        const Tones interrupted(call_of(3), [](Example&) { std::raise(SIGINT); });
        try {
          train(run, interrupted, 6);
        } catch (const Interrupted& e) {
          std::_Exit(e.exit_code());
        }
      },
      testing::ExitedWithCode(130), "");
  ::unsetenv(kVariable);
  EXPECT_EQ(RunView(run).checkpoint("last")->filename(), "step-00000003");
  train(run, Tones(), 6);
  train(*dir / "whole", Tones(), 6);
  expect_same_run(*dir / "whole", run, 6);
}

}  // namespace
}  // namespace limbeck::test
