#include "limbeck/run/run_dir.h"

#include <gmock/gmock.h>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/train/config.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

struct Config {
  RunOptions run;
  TrainOptions train;
  void describe(config::Visitor& v) {
    v.section("run", run, "where and how");
    v.section("train", train, "optimizer steps");
  }
};

class RunDirs : public testing::Test {
 protected:
  RunDirs() { config_.run.dir = path_.string(); }
  RunDir open(bool restart = false) { return open_run_dir(path_, config_, restart); }

  TempDir dir_;
  fs::path path_ = dir_ / "runs" / "first";
  Config config_;
};

TEST_F(RunDirs, IsMadeWithItsConfig) {
  const auto run = open();
  EXPECT_EQ(run.path(), path_);
  const auto read = config::read_text<Config>(read_file(path_ / "config.yaml"), "config.yaml");
  EXPECT_EQ(config::to_yaml(config::to_node(read)), config::to_yaml(config::to_node(config_)));
}

TEST_F(RunDirs, AnotherConfigurationIsRefusedWithAllDifferences) {
  open();
  const std::string before = read_file(path_ / "config.yaml");
  config_.train.steps = 3000;
  config_.train.optimizer = config::read_text<OptimizerConfig>("{type: adamw, lr: 0.5}", "test");
  config_.run.threads = 7;
  const auto message = message_of<ConfigError>([&] { open(); });
  EXPECT_THAT(message,
              testing::HasSubstr(path_.string() + ": holds a run of another configuration"));
  EXPECT_THAT(message, testing::HasSubstr("train.steps: 2000 → 3000"));
  EXPECT_THAT(message, testing::HasSubstr("train.optimizer.lr: 0.001 → 0.5"));
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("threads")));
  EXPECT_EQ(read_file(path_ / "config.yaml"), before);
}

TEST_F(RunDirs, FieldsWithoutEffectMayDiffer) {
  open();
  config_.run.threads = 7;
  config_.run.device = "cpu";
  config_.train.log_every = 3;
  EXPECT_NO_THROW(open());
  EXPECT_THAT(read_file(path_ / "config.yaml"), testing::HasSubstr("threads: 7"));
}

TEST_F(RunDirs, RestartRemovesTheOldRunAndNothingElse) {
  open();
  put_text(path_ / "checkpoints" / "step-00000001" / "model.safetensors", "x");
  for (const char* name :
       {"best.json", "last.json", "metrics.jsonl", "train.log", "environment.json", "notes.txt"}) {
    put_text(path_ / name, "x");
  }
  config_.train.steps = 3000;
  open(true);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(path_)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::UnorderedElementsAre("config.yaml", "lock", "notes.txt"));
  EXPECT_THAT(read_file(path_ / "config.yaml"), testing::HasSubstr("steps: 3000"));
}

TEST_F(RunDirs, IsLockedWhileOpen) {
  {
    const auto run = open();
    EXPECT_THROW(open(), ConfigError);
    EXPECT_THROW(open(true), ConfigError);
    EXPECT_TRUE(fs::exists(path_ / "config.yaml"));
  }
  EXPECT_NO_THROW(open());
}

TEST_F(RunDirs, AForeignFolderIsRefusedAndUntouched) {
  put_text(path_ / "thesis.tex", "years of work");
  for (const bool restart : {false, true}) {
    EXPECT_EQ(message_of<ConfigError>([&] { open(restart); }),
              path_.string() + ": is not a run folder: it holds thesis.tex but no config.yaml");
  }
  EXPECT_EQ(read_file(path_ / "thesis.tex"), "years of work");
  EXPECT_FALSE(fs::exists(path_ / "config.yaml"));
}

TEST_F(RunDirs, AnEmptyFolderWillDo) {
  fs::create_directories(path_);
  EXPECT_NO_THROW(open());
}

TEST_F(RunDirs, MetricsAreCutAfterAStep) {
  auto run = open();
  run.truncate_metrics(3);  // nothing there yet
  for (const int step : {1, 2, 3}) run.append_metrics("{\"step\":" + std::to_string(step) + "}");
  run.append_metrics("{\"step\":3,\"split\":\"valid\"}");
  run.append_metrics("{\"step\":4}");
  put_text(path_ / "metrics.jsonl",
           read_file(path_ / "metrics.jsonl") + "{\"ste");  // cut short by a crash
  run.truncate_metrics(3);
  const std::string expected =
      "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":3,\"split\":\"valid\"}\n";
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), expected);
  run.truncate_metrics(-1);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "");
}

}  // namespace
}  // namespace limbeck::test
