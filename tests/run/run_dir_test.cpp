#include "limbeck/run/run_dir.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "limbeck/run/run_view.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RunDirs : public testing::Test {
 protected:
  RunDirs() { set_config("steps: 10"); }
  RunDir open(bool restart = false) { return {path_, identity_, config_, restart}; }
  void set_config(const std::string& yaml) {
    config::Diagnostics diagnostics;
    config_ = config::parse_yaml(yaml, "test", diagnostics);
  }

  TempDir dir_;
  fs::path path_ = dir_ / "runs" / "first";
  Identity identity_ = made_identity();
  config::Node config_;
};

TEST_F(RunDirs, IsMadeWithIdentityAndConfig) {
  const auto run = open();
  EXPECT_EQ(run.path(), path_);
  EXPECT_EQ(RunView(path_).identity(), identity_);
  EXPECT_EQ(read_file(path_ / "config.yaml"), "steps: 10\n");
}

TEST_F(RunDirs, AnotherIdentityIsRefusedWithAllDifferences) {
  open();
  const std::string before = read_file(path_ / "identity.json");
  identity_.set("train.steps", 3000);
  identity_.set("train.lr", 0.5);
  set_config("steps: 3000");
  const auto message = message_of<ConfigError>([&] { open(); });
  EXPECT_THAT(message, HasSubstr(path_.string() + ": holds a run of another configuration"));
  EXPECT_THAT(message, HasSubstr("train.steps: 10 → 3000"));
  EXPECT_THAT(message, HasSubstr("train.lr: 0.1 → 0.5"));
  EXPECT_EQ(read_file(path_ / "identity.json"), before);
  EXPECT_EQ(read_file(path_ / "config.yaml"), "steps: 10\n");
}

TEST_F(RunDirs, TheSameIdentityGoesOnWithTheNewConfig) {
  open();
  set_config("{steps: 10, threads: 7}");
  EXPECT_NO_THROW(open());
  EXPECT_THAT(read_file(path_ / "config.yaml"), HasSubstr("threads: 7"));
}

TEST_F(RunDirs, ARenamedFolderGoesOn) {
  open();
  const fs::path renamed = dir_ / "elsewhere";
  fs::rename(path_, renamed);
  path_ = renamed;
  EXPECT_NO_THROW(open());
}

TEST_F(RunDirs, ARunWithoutIdentityIsRefusedByName) {
  put_text(path_ / "config.yaml", "steps: 10\n");
  put_text(path_ / "checkpoints" / "step-00000001" / "model.safetensors", "x");
  const auto message = message_of<ConfigError>([&] { open(); });
  EXPECT_THAT(message, HasSubstr(path_.string() + ": is a run without identity.json"));
  EXPECT_THAT(message, HasSubstr("--restart"));
  EXPECT_FALSE(fs::exists(path_ / "identity.json"));
  put_text(path_ / "identity.json", "{");
  EXPECT_THAT(message_of<ConfigError>([&] { open(); }), HasSubstr("identity.json: is no identity"));
  EXPECT_NO_THROW(open(true));
  EXPECT_FALSE(fs::exists(path_ / "checkpoints"));
}

TEST_F(RunDirs, RestartRemovesTheOldRunAndNothingElse) {
  const fs::path skipped = open().write_skipped(12, "{}\n");
  EXPECT_EQ(skipped, path_ / "diverged" / "step-00000012.json");
  EXPECT_EQ(read_file(skipped), "{}\n");
  put_text(path_ / "checkpoints" / "step-00000001" / "model.safetensors", "x");
  for (const char* name :
       {"best.json", "last.json", "metrics.jsonl", "train.log", "environment.json", "data.json",
        "start.json", "notes.txt", "tensorboard/events.out.tfevents.limbeck"}) {
    put_text(path_ / name, "x");
  }
  identity_.set("train.steps", 3000);
  open(true);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(path_)) left.push_back(entry.path().filename());
  EXPECT_THAT(left,
              testing::UnorderedElementsAre("config.yaml", "identity.json", "lock", "notes.txt"));
  EXPECT_EQ(RunView(path_).identity(), identity_);
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
              path_.string() + ": is not a run folder: it holds thesis.tex but no identity.json");
  }
  EXPECT_EQ(read_file(path_ / "thesis.tex"), "years of work");
  EXPECT_FALSE(fs::exists(path_ / "config.yaml"));
}

TEST_F(RunDirs, AnEmptyFolderWillDo) {
  fs::create_directories(path_);
  EXPECT_NO_THROW(open());
}

TEST_F(RunDirs, WhatAKilledStartLeftIsNoObstacle) {
  put_text(path_ / "lock", "");
  put_text(temporary_sibling(path_ / "identity.json"), "{\"ki");
  EXPECT_NO_THROW(open());
  EXPECT_EQ(RunView(path_).identity(), identity_);
}

TEST_F(RunDirs, WhatKilledWritesLeftIsRemoved) {
  open();
  // A process that is gone by the time it is asked for, with all that it named.
  std::vector<fs::path> made;
  const auto left = [&](const fs::path& path) {
    std::string name = temporary_sibling(path).filename();
    const std::string mine = "-" + std::to_string(::getpid()) + "-";
    name.replace(name.find(mine), mine.size(), "-999999999-");
    made.push_back(path.parent_path() / name);
  };
  left(path_ / "best.json");
  left(path_ / "checkpoints" / "step-00000003");
  left(path_ / "checkpoints" / "step-00000002" / "validation.json");
  for (const fs::path& path : made) put_text(path, "x");
  open();
  for (const fs::path& path : made) EXPECT_FALSE(fs::exists(path)) << path;
  EXPECT_TRUE(fs::exists(path_ / "checkpoints" / "step-00000002"));
}

TEST_F(RunDirs, KeepsWhatItIsTrainedOn) {
  TrainingRecord record;
  record.source = "speech.csv";
  auto run = open();
  EXPECT_FALSE(RunView(path_).record());
  run.write_record(record);
  EXPECT_EQ(RunView(path_).record()->text(), record.text());
}

TEST_F(RunDirs, MetricsAreCutAfterAStep) {
  auto run = open();
  MetricsLog& log = run.metrics();
  log.truncate(3);  // nothing there yet
  for (const int step : {1, 2, 3}) log.append("{\"step\":" + std::to_string(step) + "}");
  log.append("{\"step\":3,\"split\":\"valid\"}");
  log.append("{\"step\":4}");
  put_text(path_ / "metrics.jsonl",
           read_file(path_ / "metrics.jsonl") + "{\"ste");  // cut short by a crash
  log.append("");
  log.append("{\"step\":2,\"split\":\"valid\"}");  // scored while training went on
  log.truncate(3);
  const std::string expected =
      "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":3,\"split\":\"valid\"}\n"
      "{\"step\":2,\"split\":\"valid\"}\n";
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), expected);
  log.truncate(3, false);  // whose validation is made again
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"),
            "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":2,\"split\":\"valid\"}\n");
  log.truncate(-1);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "");
}

}  // namespace
}  // namespace limbeck::test
