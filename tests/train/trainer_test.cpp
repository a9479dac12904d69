#include "train/trainer.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/sampler.h"
#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kBatch = 3;

/// Tones in noise. Every draw comes from the key, except that one chosen call does something else.
class Tones : public Dataset {
 public:
  explicit Tones(int64_t special_call = -1, std::function<void(Example&)> special = {})
      : special_call_(special_call), special_(std::move(special)) {}
  int64_t size() const override { return 7; }
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 480; }
  int64_t samples(int64_t index) const override { return index == 2 ? 300 : 480; }
  Example get(int64_t index, SeedKey key) const override {
    Random random(key);
    Example example;
    example.recipe.id = std::to_string(index);
    const double hz = 200.0 + 150.0 * static_cast<double>(index) + random.uniform(0, 50);
    for (int64_t i = 0; i < samples(index); ++i) {
      const double clean =
          0.3 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 16000);
      example.clean.push_back(static_cast<float>(clean));
      example.noisy.push_back(static_cast<float>(clean + 0.1 * random.normal()));
    }
    if (calls_++ == special_call_) special_(example);
    return example;
  }

 private:
  int64_t special_call_;
  std::function<void(Example&)> special_;
  mutable int64_t calls_ = 0;
};

struct Config {
  TrainOptions train;
  void describe(config::Visitor& v) { v.section("train", train, "optimizer steps"); }
};

/// Trains a tiny student from a tiny teacher in `path`, or goes on there. `changes` are more lines
/// of section distill.
TrainState train(const fs::path& path, const Dataset& dataset, int64_t steps, int64_t workers = 0,
                 const std::string& changes = "") {
  at::set_num_threads(1);
  const auto config = config::read_text<Config>(
      format("train: {steps: %d, batch_size: %d, optimizer: {lr: 5e-3}, schedule: {warmup_steps: "
             "3, final_ratio: 0.1}, validate_every: 4, log_every: 1}",
             steps, kBatch),
      "test");
  const auto distill = config::read_text<objective::DistillOptions>(
      "terms: [{name: cosine, weight: 0.3}]\n" + changes, "test");
  const auto model = model_config("temporal: {type: gru, hidden: 4}");
  const auto objective = config::read_text<objective::ObjectiveConfig>(
      "losses: [{name: compressed_spectrum, stft: {window_samples: 64, hop_samples: 32, "
      "fft_samples: 64}}, "
      "{name: si_sdr, weight: 0.01}]",
      "test");
  objective::LearningTask task(nn::build_model(model, SeedKey(1)),
                               make_model("latent: {channels: 6}", 2), objective, distill, 2,
                               SeedKey(1));
  Logger logger(Verbosity::quiet);
  RunDir run(path, Identity("training", 1), config::to_node(config), false);
  const ValidationSet valid(std::make_unique<Tones>(), 4, 9, kBatch);
  Trainer trainer(config.train,
                  {task, dataset, valid, {kBatch, workers, 2, {}, &logger}, run, logger},
                  SeedKey(1), at::kCPU);
  return trainer.run();
}

/// The lines of metrics.jsonl without the time that they took.
std::vector<nlohmann::json> metrics(const fs::path& run) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("seconds");
  }
  return lines;
}

void expect_same_run(const fs::path& a, const fs::path& b, int64_t steps) {
  const std::string last = format("checkpoints/step-%08d", steps);
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "helpers.safetensors"}) {
    EXPECT_EQ(hash_file(a / last / file), hash_file(b / last / file)) << file;
  }
  EXPECT_EQ(metrics(a), metrics(b));
  EXPECT_EQ(read_file(a / "best.json"), read_file(b / "best.json"));
}

/// The call that makes the first example of a step (from 1).
int64_t call_of(int64_t step) { return (step - 1) * kBatch; }

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
                               "balance: {mode: gradient_ratio, steps: 3}\n"
                               "phases: [{steps: 2, task: false}, {steps: 6}, {distill: false}]",
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
  train(dir / "parts", from_step_5, 10);
  EXPECT_TRUE(asked);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Trainer, NanInputStopsWithStepAndPartAndKeepsTheCheckpoint) {
  TempDir dir;
  const Tones poisoned(call_of(6) + 1, [](Example& e) { e.noisy[100] = NAN; });
  const auto message = message_of<DivergenceError>([&] { train(dir / "run", poisoned, 10); });
  EXPECT_THAT(message, testing::StartsWith("training diverged at step 6: compressed_spectrum is "));
  const auto last = RunView(dir / "run").checkpoint("last");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->filename(), "step-00000004");
  for (const auto& [name, tensor] : nn::state_of(*nn::read_model(*last / "model.safetensors"))) {
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
  }
  EXPECT_EQ(metrics(dir / "run").back()["step"], 5);
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
