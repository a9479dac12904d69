#include "limbeck/run/run_view.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <functional>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/metrics_log.h"
#include "limbeck/run/run_dir.h"
#include "limbeck/run/trained_model.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Every open() fails as long as it lives.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

class RunViews : public testing::Test {
 protected:
  fs::path checkpoint(int64_t step) const {
    return path_ / "checkpoints" / format("step-%08d", step);
  }

  TempDir dir_;
  fs::path path_ = dir_ / "run";
  RunView run_{path_};
};

TEST_F(RunViews, OfARunThatIsNotBegun) {
  EXPECT_FALSE(run_.exists());
  EXPECT_FALSE(run_.finished());
  EXPECT_EQ(run_.progress(), 0);
  EXPECT_FALSE(run_.record());
  EXPECT_EQ(message_of<CheckpointError>([&] { run_.identity(); }),
            path_.string() + ": no such run");
}

TEST_F(RunViews, IsFinishedWhenItsStateSaysSo) {
  put_run(path_, 4, 10);
  EXPECT_TRUE(run_.exists());
  EXPECT_FALSE(run_.finished());
  put_run(path_, 10, 10, made_identity(), false);
  EXPECT_TRUE(run_.finished());
  const std::string found = read_file(checkpoint(10) / "validation.json");
  fs::remove(checkpoint(10) / "validation.json");
  EXPECT_FALSE(run_.finished());  // its best may be another
  put_text(checkpoint(10) / "validation.json", found);
  EXPECT_EQ(run_.identity(), made_identity());
  // A torn last checkpoint: that of step 4 counts.
  put_text(checkpoint(10) / "model.safetensors", "torn");
  EXPECT_FALSE(run_.finished());
}

TEST_F(RunViews, TellsHowManyStepsWereSkipped) {
  EXPECT_EQ(run_.skipped(), 0);
  put_run(path_, 4, 10);
  EXPECT_EQ(run_.skipped(), 0);
  put_text(path_ / "identity.json", made_identity().text());
  CheckpointStore(path_).save(
      6, {{"state.json", R"({"step": 6, "planned_steps": 10, "skipped": {"total": 3}})"}});
  EXPECT_EQ(run_.skipped(), 3);
  CheckpointStore(path_).save(7, {{"state.json", R"({"step": 7, "skipped": 3})"}});
  EXPECT_THAT(message_of<CheckpointError>([&] { run_.skipped(); }),
              ::testing::HasSubstr("step-00000007/state.json: malformed"));
}

TEST_F(RunViews, GivesTheModelOfEitherCheckpoint) {
  put_run(path_, 4, 10);
  put_run(path_, 6, 10, made_identity(), false);
  EXPECT_EQ(run_.model_file("best"), checkpoint(4) / "model.safetensors");
  EXPECT_EQ(run_.model_file("last"), checkpoint(6) / "model.safetensors");
  // What resuming needs is no business of who wants the model.
  put_text(checkpoint(4) / "state.json", "x");
  EXPECT_EQ(run_.model_file("best"), checkpoint(4) / "model.safetensors");
  EXPECT_FALSE(run_.checkpoint("best"));
  // A damaged last one falls back to the newest that is sound; of best there is but one.
  put_text(checkpoint(6) / "model.safetensors", "torn");
  EXPECT_EQ(run_.model_file("last"), checkpoint(4) / "model.safetensors");
  put_text(checkpoint(4) / "model.safetensors", "torn");
  EXPECT_EQ(message_of<CheckpointError>([&] { run_.model_file("best"); }),
            checkpoint(4).string() + ": damaged: model.safetensors: another size");
}

TEST_F(RunViews, SaysWhatItPassedOver) {
  put_run(path_, 4, 10);
  put_run(path_, 6, 10, made_identity(), false);
  EXPECT_THAT(run_.look_for("last").unusable, testing::IsEmpty());
  fs::remove(checkpoint(6) / "state.json");
  auto found = run_.look_for("last");
  EXPECT_EQ(found.folder, checkpoint(4));
  EXPECT_THAT(found.unusable, testing::ElementsAre("step-00000006: state.json: missing"));
  put_text(checkpoint(4) / "manifest.json", R"({"format": 2})");
  found = run_.look_for("last");
  EXPECT_FALSE(found.folder);
  EXPECT_THAT(found.unusable,
              testing::ElementsAre("step-00000006: state.json: missing",
                                   "step-00000004: manifest.json: another format version"));
}

TEST_F(RunViews, AModelOfAnOlderCheckpointSaysSo) {
  put_run(path_, 4, 10);
  put_run(path_, 6, 10, made_identity(), false);
  EXPECT_THAT(find_model(path_, "last").warnings, testing::IsEmpty());
  put_text(checkpoint(6) / "state.json", "x");  // no business of who wants the model
  EXPECT_THAT(find_model(path_, "last").warnings, testing::IsEmpty());
  put_text(checkpoint(6) / "model.safetensors", "torn");
  const TrainedModel model = find_model(path_, "last");
  EXPECT_EQ(model.file, checkpoint(4) / "model.safetensors");
  EXPECT_EQ(model.hash, hash_file(model.file));
  EXPECT_THAT(model.warnings,
              testing::ElementsAre("checkpoint step-00000006: model.safetensors: another size; an "
                                   "older one is used"));
}

TEST_F(RunViews, IsFinishedWhereItStoppedEarly) {
  for (const int64_t step : {4, 8}) {
    put_run(path_, step, 10);
    EXPECT_FALSE(run_.finished());
    CheckpointStore(path_).add_validation(step, R"({"stop_step": 8})", true);
    EXPECT_EQ(run_.finished(), step == 8);
  }
}

TEST_F(RunViews, KnowsWhatADamagedModelWas) {
  EXPECT_EQ(run_.recorded_model_hash("best"), "");
  put_run(path_, 4, 10);
  const std::string hash = find_model(path_, "best").hash;
  EXPECT_EQ(run_.recorded_model_hash("best"), hash);
  fs::remove(checkpoint(4) / "model.safetensors");
  EXPECT_EQ(run_.recorded_model_hash("best"), hash);
  put_text(checkpoint(4) / "manifest.json", R"({"format": 1, "files": {}})");
  EXPECT_EQ(run_.recorded_model_hash("best"), "");
}

TEST_F(RunViews, WhatCannotBeReadIsNotMissing) {
  put_run(path_, 4, 10);
  put_text(path_ / "data.json", TrainingRecord().text());
  const auto message = [&](const std::function<void()>& ask) {
    const NoMoreFiles none;
    return message_of<DataError>(ask);
  };
  const auto told = AllOf(HasSubstr(path_.string()), HasSubstr("Too many open files"));
  EXPECT_THAT(message([&] { run_.checkpoint("last"); }), told);
  EXPECT_THAT(message([&] { check_checkpoint(checkpoint(4)); }), told);
  EXPECT_THAT(message([&] { run_.record(); }), told);
  EXPECT_THAT(message([&] { MetricsLog(path_ / "metrics.jsonl").append("{}"); }), told);
  put_text(path_ / "metrics.jsonl", "{\"step\": 1}\n");
  EXPECT_THAT(message([&] { MetricsLog(path_ / "metrics.jsonl").truncate(0); }), told);
  EXPECT_THAT(message([&] { CheckpointStore(path_).save(5, {{"state.json", "{}"}}); }), told);
  EXPECT_EQ(run_.checkpoint("last"), checkpoint(4));
}

TEST_F(RunViews, WhatTheSystemRefusesIsAnErrorOfTheData) {
  // A link to itself can be opened by nobody, root included.
  const fs::path loop = dir_ / "loop";
  fs::create_directory_symlink("loop", loop);
  for (const std::function<void()>& ask : std::initializer_list<std::function<void()>>{
           [&] { RunView(loop).exists(); }, [&] { RunView(loop).checkpoint("last"); },
           [&] { RunView(loop).record(); }, [&] { find_model(loop, "best"); },
           [&] { RunDir(loop, made_identity(), config::Node::make_map({}), true); },
           [&] { MetricsLog(loop / "metrics.jsonl").truncate(0); },
           [&] { CheckpointStore(loop).settle(1, 1); }}) {
    EXPECT_THAT(message_of<DataError>(ask), HasSubstr(loop.string()));
  }
}

TEST_F(RunViews, SaysThatThereIsNoCheckpointYet) {
  put_text(path_ / "identity.json", made_identity().text());
  EXPECT_THAT(message_of<CheckpointError>([&] { run_.model_file("best"); }),
              HasSubstr("run: no checkpoint yet (best.json is missing"));
  put_run(path_, 1, 2);
  put_text(path_ / "best.json", "{");
  EXPECT_THAT(message_of<CheckpointError>([&] { run_.model_file("best"); }),
              HasSubstr("best.json is missing or malformed"));
}

TEST_F(RunViews, WithoutIdentityIsRefusedByName) {
  put_run(path_, 4, 10);
  fs::remove(path_ / "identity.json");
  EXPECT_TRUE(run_.exists());
  for (const auto& ask : {+[](const RunView& run) { run.identity(); },
                          +[](const RunView& run) { run.model_file("best"); },
                          +[](const RunView& run) { find_model(run.path(), "best"); }}) {
    EXPECT_TRUE(message_of<CheckpointError>([&] {
                  ask(run_);
                }).starts_with(path_.string() + ": is a run without identity.json"));
  }
  // A model file says all that is needed itself.
  EXPECT_FALSE(find_model(checkpoint(4) / "model.safetensors", "best").identity);
}

TEST_F(RunViews, ProgressIsTheNewestStepThatWasWritten) {
  MetricsLog log(path_ / "metrics.jsonl");
  fs::create_directories(path_);
  put_text(path_ / "metrics.jsonl", "");
  EXPECT_EQ(run_.progress(), 0);
  for (int step = 1; step <= 4000; ++step) {
    log.append(format("{\"step\": %d, \"split\": \"train\", \"loss\": 1}", step));
  }
  ASSERT_GT(fs::file_size(path_ / "metrics.jsonl"), 100000U);
  EXPECT_EQ(run_.progress(), 4000);
  const std::string whole = read_file(path_ / "metrics.jsonl");
  put_text(path_ / "metrics.jsonl", whole + "{\"step\": 4001, \"spl");  // being written
  EXPECT_EQ(run_.progress(), 4000);
  put_text(path_ / "metrics.jsonl", "{\"step\": 4001, \"spl");
  EXPECT_EQ(run_.progress(), 0);
}

TEST_F(RunViews, PassesOverLinesWithoutASoundStep) {
  put_run(path_, 4, 10);
  const std::string sound = "{\"step\": 3, \"split\": 5}\n";
  put_text(path_ / "metrics.jsonl", sound + "{\"step\": 1e300}\n{\"step\": \"four\"}\n");
  EXPECT_EQ(run_.progress(), 0);
  MetricsLog(path_ / "metrics.jsonl").truncate(3, false);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), sound);
  EXPECT_EQ(run_.progress(), 3);
}

TEST_F(RunViews, DivergedIfThatIsTheLastThatWasWritten) {
  EXPECT_FALSE(run_.diverged());
  put_run(path_, 4, 10);
  RunDir run(path_, made_identity(), config::Node::make_map({}), false);
  run.metrics().append(R"({"step": 4, "split": "valid"})");
  EXPECT_FALSE(run_.diverged());
  run.write_divergence(4, "si_sdr of the validation set is nan");
  EXPECT_TRUE(run_.diverged());
  EXPECT_EQ(run_.progress(), 4);
  run.metrics().truncate(4);  // as going on does
  EXPECT_FALSE(run_.diverged());
  EXPECT_EQ(run_.progress(), 4);
}

TEST_F(RunViews, StateIsOneWordForAllThat) {
  EXPECT_EQ(run_.state(), RunState::empty);
  const auto open = [&] {
    return RunDir(path_, made_identity(), config::Node::make_map({}), false);
  };
  {
    const RunDir run = open();
    EXPECT_EQ(run_.state(), RunState::running);
  }
  EXPECT_EQ(run_.state(), RunState::interrupted);  // killed before its first checkpoint
  put_run(path_, 4, 10);
  EXPECT_EQ(run_.state(), RunState::interrupted);
  open().write_divergence(4, "loss is nan");
  EXPECT_EQ(run_.state(), RunState::diverged);
  open().metrics().truncate(4);
  put_run(path_, 10, 10);
  EXPECT_EQ(run_.state(), RunState::finished);
  EXPECT_STREQ(to_string(run_.state()), "finished");
  const RunDir run = open();  // though it was looked at
  EXPECT_EQ(run_.state(), RunState::running);
}

TEST_F(RunViews, AModelIsFoundByFileCheckpointAndRun) {
  put_run(path_, 4, 10);
  TrainingRecord record;
  record.source = "speech.csv";
  put_text(path_ / "data.json", record.text());
  const fs::path file = checkpoint(4) / "model.safetensors";
  for (const fs::path& named : {file, checkpoint(4), path_, fs::relative(path_)}) {
    const TrainedModel model = find_model(named, "best");
    EXPECT_TRUE(fs::equivalent(model.file, file)) << named;
    EXPECT_EQ(model.hash, hash_file(file)) << named;
    ASSERT_TRUE(model.identity) << named;
    EXPECT_EQ(*model.identity, made_identity()) << named;
    ASSERT_TRUE(model.record) << named;
    EXPECT_EQ(model.record->source, "speech.csv") << named;
  }
  EXPECT_EQ(message_of<CheckpointError>([&] { find_model(dir_ / "nowhere", "best"); }),
            (dir_ / "nowhere").string() + ": no such model file, checkpoint or run");
  fs::create_directories(dir_ / "empty");
  EXPECT_THAT(message_of<CheckpointError>([&] { find_model(dir_ / "empty", "best"); }),
              HasSubstr("no such model file, checkpoint or run"));
}

TEST_F(RunViews, AMovedRunIsTheSameModel) {
  put_run(path_, 4, 10);
  const TrainedModel before = find_model(path_, "best");
  fs::rename(path_, dir_ / "renamed");
  const TrainedModel after = find_model(dir_ / "renamed", "best");
  EXPECT_EQ(after.hash, before.hash);
  EXPECT_EQ(*after.identity, *before.identity);
}

TEST_F(RunViews, ADamagedModelFileIsFoundByItsManifest) {
  put_run(path_, 4, 10);
  const fs::path file = checkpoint(4) / "model.safetensors";
  std::string flipped = read_file(file);
  flipped.back() ^= 1;
  put_text(file, flipped);
  for (const fs::path& named : {file, checkpoint(4), path_}) {
    EXPECT_THAT(message_of<CheckpointError>([&] { find_model(named, "best"); }),
                HasSubstr("damaged: model.safetensors: another content"))
        << named;
  }
}

TEST_F(RunViews, ABareModelFileNeedsNothingBesideIt) {
  put_text(dir_ / "copy/model.safetensors", model_bytes());
  const TrainedModel bare = find_model(dir_ / "copy/model.safetensors", "best");
  EXPECT_FALSE(bare.identity);
  EXPECT_FALSE(bare.record);
  put_text(dir_ / "copy/data.json", TrainingRecord().text());
  put_text(dir_ / "copy/identity.json", made_identity().text());
  const TrainedModel copied = find_model(dir_ / "copy", "last");
  EXPECT_TRUE(copied.record);
  EXPECT_TRUE(copied.identity);
  EXPECT_EQ(copied.hash, bare.hash);
}

}  // namespace
}  // namespace limbeck::test
