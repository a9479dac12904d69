#pragma once

// Trainings of a tiny student, of which one call for data may do something else.

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "nn/support.h"
#include "train/trainer.h"

namespace limbeck::test {

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
  mutable std::atomic<int64_t> calls_ = 0;
};

/// Two recordings with a pause each, long enough for every metric.
class Sentences : public Dataset {
 public:
  int64_t size() const override { return 2; }
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 0; }
  int64_t samples(int64_t index) const override { return 12000 + 1000 * index; }
  Example get(int64_t index, SeedKey) const override {
    Random random(SeedKey(static_cast<uint64_t>(index)));
    Example example;
    for (int64_t i = 0; i < samples(index); ++i) {
      const double level = i / 1000 % 5 == 4 ? 0.001 : 0.2;
      const double clean = level * std::sin(0.1 * static_cast<double>((index + 1) * i));
      example.clean.push_back(static_cast<float>(clean));
      example.noisy.push_back(static_cast<float>(clean + 0.05 * random.normal()));
    }
    return example;
  }
};

struct TinyConfig {
  TrainOptions train;
  void describe(config::Visitor& v) { v.section("train", train, "optimizer steps"); }
};

/// Trains a tiny student from a tiny teacher in `path`, or goes on there. `changes` are more lines
/// of section distill; validation is upon tones, too, unless another set is given, and on a
/// further set of sentences, "whole". `train_changes` are entries of section train, which win.
inline TrainState train(const std::filesystem::path& path, const Dataset& dataset, int64_t steps,
                        int64_t workers = 0, const std::string& changes = "",
                        std::unique_ptr<Dataset> validation = std::make_unique<Tones>(),
                        const std::string& train_changes = "") {
  at::set_num_threads(1);
  config::Diagnostics diagnostics;
  config::Node node = config::parse_yaml(
      format("train: {steps: %d, batch_size: %d, optimizer: {lr: 5e-3}, schedule: {warmup_steps: "
             "3}, validate_every: 4, log_every: 1, tensorboard: {enabled: false}}",
             steps, kBatch),
      "base", diagnostics);
  config::merge(node, config::parse_yaml("train: {" + train_changes + "}", "test", diagnostics));
  const auto config = config::read<TinyConfig>(node, diagnostics);
  diagnostics.throw_if_any();
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
  RunDir run(path, Identity("training", 1), config::to_node(config), false, &logger);
  std::vector<NamedValidationSet> valid;
  valid.push_back({"", ValidationSet(std::move(validation), 4, 9, kBatch)});
  valid.push_back({"whole", ValidationSet(std::make_unique<Sentences>(), 0, 9, 2)});
  Trainer trainer(config.train,
                  {task, dataset, valid, {kBatch, workers, 2, {}, &logger}, run, logger},
                  SeedKey(1), at::kCPU);
  return trainer.run();
}

/// The lines of metrics.jsonl without the time that they took.
inline std::vector<nlohmann::json> metrics(const std::filesystem::path& run) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("timing");
  }
  return lines;
}

inline void expect_same_run(const std::filesystem::path& a, const std::filesystem::path& b,
                            int64_t steps) {
  const std::string last = format("checkpoints/step-%08d", steps);
  std::vector<std::string> files = {"model.safetensors", "optimizer.safetensors",
                                    "helpers.safetensors"};
  if (std::filesystem::exists(a / last / "training.safetensors")) {
    files.emplace_back("training.safetensors");
  }
  for (const std::string& file : files) {
    EXPECT_EQ(hash_file(a / last / file), hash_file(b / last / file)) << file;
  }
  EXPECT_EQ(metrics(a), metrics(b));
  EXPECT_EQ(read_file(a / "best.json"), read_file(b / "best.json"));
}

/// The call that makes the first example of a step (from 1).
inline int64_t call_of(int64_t step) { return (step - 1) * kBatch; }

}  // namespace limbeck::test
