// How a run goes on as another: extended, forked, and from weights that are there already.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/init.h"
#include "limbeck/train/session.h"
#include "nn/support.h"
#include "train/tiny_data.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class GoingOn : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = std::make_unique<TempDir>();
    put_pairs(data_->path());
  }
  static void TearDownTestSuite() { data_.reset(); }

  static TrainingConfig config(const fs::path& run, int64_t steps, const std::string& train = "",
                               const std::string& latent = "3") {
    return config::read_text<TrainingConfig>(
        format("run: {dir: '%s', device: cpu, threads: 1}\n"
               "model: {name: denoising_autoencoder, stft: {window_samples: 64, hop_samples: 32, "
               "fft_samples: 64}, stem: {channels: 4, stride: 2, kernel_freq: 5}, "
               "encoder: [{channels: 5, stride: 2, kernel_time: 3}], latent: {channels: %s}}\n"
               "data: {source: {type: pairs, manifest: '%s'}, segment_seconds: 0.1, workers: 0, "
               "valid_count: 2, valid_segment_seconds: 0.1}\n"
               "train: {steps: %d, batch_size: 2, validate_every: 3, log_every: 1, "
               "schedule: {warmup_steps: 1}%s}\n",
               run, latent, *data_ / "pairs.csv", steps, train.empty() ? "" : ", " + train),
        "test");
  }

  /// What was said.
  static std::string train(const TrainingConfig& config, const SessionOptions& session = {}) {
    testing::internal::CaptureStderr();
    std::string failed;
    try {
      Logger logger;
      run_training(config, session, logger);
    } catch (...) {
      testing::internal::GetCapturedStderr();
      throw;
    }
    return testing::internal::GetCapturedStderr();
  }
  static std::string refusal(const TrainingConfig& config, const SessionOptions& session = {}) {
    return message_of<ConfigError>([&] { train(config, session); });
  }

  static std::vector<nlohmann::json> metrics(const fs::path& run) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(read_file(run / "metrics.jsonl"));
    for (std::string line; std::getline(in, line);) {
      lines.push_back(nlohmann::json::parse(line));
      for (const char* key : {"seconds", "timing"}) lines.back().erase(key);
    }
    return lines;
  }
  static void expect_same_end(const fs::path& a, const fs::path& b) {
    const fs::path last_a = *RunView(a).checkpoint("last");
    const fs::path last_b = *RunView(b).checkpoint("last");
    EXPECT_EQ(last_a.filename(), last_b.filename());
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      EXPECT_EQ(hash_file(last_a / file), hash_file(last_b / file)) << file;
    }
    EXPECT_EQ(metrics(a), metrics(b));
    EXPECT_EQ(read_file(a / "best.json"), read_file(b / "best.json"));
  }

  static std::unique_ptr<TempDir> data_;
  TempDir dir_;
};

std::unique_ptr<TempDir> GoingOn::data_;

TEST_F(GoingOn, AFinishedRunIsExtendedAndSaysWhatTheRateDoes) {
  const fs::path run = dir_ / "run";
  EXPECT_THAT(train(config(run, 4)), ContainsRegex("trained 4 steps in [^(;]*; waited"));
  EXPECT_THAT(refusal(config(run, 8)), HasSubstr("4 of 4 steps are done, and 8 are asked for; "
                                                 "--extend"));
  const std::string said = train(config(run, 8), {.extend = true});
  EXPECT_THAT(said, HasSubstr("extended from 4 to 8 steps; from step 4 on the rate of "
                              "train.schedule ("));
  EXPECT_THAT(said,
              ContainsRegex("trained 4 steps in [^(;]* \\(in all 8 steps in [^(;]*\\); waited"));
  std::vector<double> rates;
  for (const auto& line : metrics(run)) {
    if (line["split"] == "train") rates.push_back(line["lr"]);
  }
  ASSERT_EQ(rates.size(), 8U);
  EXPECT_GT(rates[4], rates[3]);
  EXPECT_THAT(said, HasSubstr(format("%.3g → %.3g", rates[3], rates[4])));
  EXPECT_EQ(RunView(run).state(), RunState::finished);
  EXPECT_THAT(train(config(run, 8)), HasSubstr("already trained to step 8"));
  EXPECT_THAT(refusal(config(run, 4)), HasSubstr("has 8 steps done already"));
  // It is not the run that had 8 steps from the start.
  train(config(dir_ / "other", 8));
  EXPECT_NE(RunView(run).identity(), RunView(dir_ / "other").identity());
}

TEST_F(GoingOn, AnExtendedRunThatIsStoppedIsTheSameToTheBit) {
  for (const int64_t from : {4, 3}) {  // with a validation of its own at the end, and without
    const fs::path whole = dir_ / format("whole-%d", from);
    train(config(whole, from));
    fs::copy(whole, dir_ / format("parts-%d", from), fs::copy_options::recursive);
    train(config(whole, 8), {.extend = true});
    // As if it was killed at once after it was extended, and later, after a checkpoint was lost.
    const fs::path parts = dir_ / format("parts-%d", from);
    train(config(parts, 8, "save_every: 5, keep: {last: 9}"), {.extend = true});
    fs::remove_all(parts / "checkpoints/step-00000008");
    fs::remove_all(parts / "checkpoints/step-00000006");
    fs::remove_all(parts / "best.json");
    train(config(parts, 8));
    EXPECT_EQ(RunView(whole).identity(), RunView(parts).identity());
    EXPECT_EQ(hash_file(*RunView(whole).checkpoint("last") / "model.safetensors"),
              hash_file(*RunView(parts).checkpoint("last") / "model.safetensors"));
    EXPECT_EQ(metrics(whole), metrics(parts));
  }
}

TEST_F(GoingOn, AForkGoesOnAsAnotherRun) {
  const fs::path parent = dir_ / "parent";
  train(config(parent, 6));
  const std::string before = read_file(parent / "identity.json");
  const std::string said =
      train(config(dir_ / "fork", 9, "optimizer: {lr: 0.1}"), {.fork = parent.string()});
  EXPECT_THAT(said, HasSubstr("begun with " + (parent / "checkpoints/step-00000006").string()));
  EXPECT_THAT(said, HasSubstr("going on from step 6"));
  EXPECT_EQ(read_file(parent / "identity.json"), before);
  const auto lines = metrics(dir_ / "fork");
  EXPECT_EQ(lines.front()["step"], 6);  // it was validated as what it is now
  EXPECT_EQ(lines.front()["split"], "valid");
  EXPECT_EQ(lines.back()["step"], 9);
  EXPECT_EQ(lines[1]["lr"].get<double>() > 0.01, true);
  // The same command goes on, with --fork and without, and ends in the same bits.
  const std::string options = "optimizer: {lr: 0.1}, save_every: 1, keep: {last: 9}";
  train(config(dir_ / "parts", 9, options), {.fork = parent.string()});
  for (const char* step : {"step-00000009", "step-00000008"}) {
    fs::remove_all(dir_ / "parts/checkpoints" / step);
  }
  train(config(dir_ / "parts", 9, "optimizer: {lr: 0.1}"));
  expect_same_end(dir_ / "fork", dir_ / "parts");
  // What nothing was changed for is what the parent would have become.
  train(config(dir_ / "whole", 9));
  train(config(dir_ / "nine", 9));
  EXPECT_NE(RunView(dir_ / "fork").identity(), RunView(dir_ / "whole").identity());
  // Its parent's data stay known.
  EXPECT_EQ(RunView(dir_ / "parts").record()->text(), RunView(dir_ / "fork").record()->text());
}

TEST_F(GoingOn, AForkThatDoesNotFitIsRefusedBeforeAnythingIsMade) {
  const fs::path parent = dir_ / "parent";
  train(config(parent, 6));
  const SessionOptions fork = {.check_only = true, .fork = parent.string()};
  EXPECT_THAT(refusal(config(dir_ / "fork", 9, "", "2"), fork),
              AllOf(HasSubstr("--fork: "), HasSubstr("in the network"), HasSubstr("train.init")));
  EXPECT_THAT(refusal(config(dir_ / "fork", 9, "optimizer: {type: sgd}"), fork),
              HasSubstr("optimizer state"));
  EXPECT_THAT(refusal(config(dir_ / "fork", 6), fork), HasSubstr("has 6 steps done; ask for more"));
  EXPECT_THAT(refusal(config(dir_ / "fork", 6), {.check_only = true, .fork = dir_ / "none"}),
              HasSubstr("no such run"));
  EXPECT_FALSE(fs::exists(dir_ / "fork"));
  EXPECT_THAT(train(config(dir_ / "fork", 9), fork), HasSubstr("configuration is sound"));
  EXPECT_FALSE(fs::exists(dir_ / "fork"));
}

TEST_F(GoingOn, AnInitGivesTheFirstWeightsAndIsKnownByItsContent) {
  const fs::path old = dir_ / "old";
  train(config(old, 3));
  const std::string init = "init: '" + old.string() + "'";
  const std::string said = train(config(dir_ / "run", 3, init + ", save_every: 1"));
  const fs::path file = RunView(old).model_file("best");
  EXPECT_THAT(said, HasSubstr("train.init: " + file.string() + ": all weights are taken"));
  EXPECT_EQ(metrics(dir_ / "run").front()["step"], 1);
  EXPECT_NE(metrics(dir_ / "run").front()["loss"], metrics(old).front()["loss"]);
  EXPECT_THAT(read_file(dir_ / "run/identity.json"), HasSubstr(hash_file(file)));
  EXPECT_THAT(read_file(dir_ / "run/identity.json"), Not(HasSubstr(old.string())));
  // The same weights elsewhere are the same run; others are not.
  fs::copy_file(file, dir_ / "copy.safetensors");
  const std::string copy = "init: '" + (dir_ / "copy.safetensors").string() + "'";
  EXPECT_THAT(train(config(dir_ / "run", 3, copy)), HasSubstr("already trained to step 3"));
  train(config(dir_ / "young", 1));
  EXPECT_THAT(refusal(config(dir_ / "run", 3, "init: '" + (dir_ / "young").string() + "'")),
              AllOf(HasSubstr("train.init: "), HasSubstr(hash_file(file))));
  EXPECT_THAT(refusal(config(dir_ / "new", 3, "init: '" + (dir_ / "none").string() + "'"),
                      {.check_only = true}),
              HasSubstr("train.init: " + (dir_ / "none").string() + ": no such model file"));
}

TEST_F(GoingOn, AnInitThatFitsInPartIsRefusedOrTakenInPart) {
  const fs::path old = dir_ / "old";
  train(config(old, 3));
  const std::string init = "init: '" + old.string() + "'";
  const auto message = refusal(config(dir_ / "run", 3, init, "2"), {.check_only = true});
  EXPECT_THAT(message, AllOf(HasSubstr("train.init: "), HasSubstr("in the network"),
                             HasSubstr("train.init_fit: partial")));
  const std::string said =
      train(config(dir_ / "run", 3, init + ", init_fit: partial", "2"), {.check_only = true});
  EXPECT_THAT(said, AllOf(HasSubstr("weights are taken: "), HasSubstr("encoder0_0.*, head.*"),
                          HasSubstr("not taken, and so random: latent.*, latent_out.*\n"),
                          HasSubstr("in that file, but not used: ")));
  const auto wide = config(dir_ / "run", 3, init + ", init_fit: partial", "2");
  const auto model = nn::build_model(wide.model, SeedKey(1));
  const auto drawn = nn::build_model(wide.model, SeedKey(1));
  take_init(*model, wide.train, *find_init(wide.train), nullptr);
  const auto trained = nn::state_of(*nn::read_model(RunView(old).model_file("best")));
  int taken = 0;
  int left = 0;
  for (const auto& [name, tensor] : nn::state_of(*model)) {
    const auto other = trained.find(name);
    const bool fits = other != trained.end() && other->second.sizes() == tensor.sizes();
    EXPECT_TRUE(at::equal(tensor, fits ? other->second : nn::state_of(*drawn).at(name))) << name;
    (fits ? taken : left) += 1;
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(left, 0);
}

}  // namespace
}  // namespace limbeck::test
