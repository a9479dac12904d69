#include "limbeck/run/saver.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/failing_folder.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A run that is saved, and a folder for temporary files of its own.
class Savers : public testing::Test {
 protected:
  Savers() {
    fs::create_directories(elsewhere_);
    ::setenv("TMPDIR", elsewhere_.c_str(), 1);
    testing::internal::CaptureStderr();
  }
  ~Savers() override {
    ::unsetenv("TMPDIR");
    testing::internal::GetCapturedStderr();
  }

  /// What was said since it was asked before.
  std::string said() {
    const std::string text = testing::internal::GetCapturedStderr();
    testing::internal::CaptureStderr();
    return text;
  }

  static CheckpointFiles files(int64_t step) {
    return {{"state.json", nlohmann::json{{"step", step}, {"planned_steps", 100}}.dump()},
            {"model.safetensors", model_bytes(std::to_string(step))}};
  }
  void save(int64_t step, std::optional<double> value = {}, bool is_best = false) {
    saver_.save(step, files(step));
    if (value) saver_.add_validation(step, nlohmann::json{{"value", *value}}.dump(), is_best);
  }
  static std::vector<std::string> steps_in(const fs::path& run) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  /// The only thing that lies in the folder for temporary files.
  fs::path put_elsewhere() const {
    const auto entry = fs::directory_iterator(elsewhere_);
    return entry == fs::directory_iterator() ? "" : entry->path();
  }

  TempDir dir_;
  fs::path path_ = dir_ / "run";
  fs::path elsewhere_ = dir_ / "tmp";
  Logger logger_;
  std::optional<RunDir> run_{std::in_place, path_,   made_identity(), config::Node::make_map({}),
                             false,         &logger_};
  Saver saver_{*run_, {}, 3};
  RunView view_{path_};
};

TEST_F(Savers, ARunThatIsGoneForATimeLosesNothing) {
  run_->metrics().append(R"({"step": 1})");
  save(1, 0.5, true);
  fs::rename(path_, dir_ / "away");
  run_->metrics().append(R"({"step": 2})");
  save(2, 0.7, true);  // the best, and older than what is saved next
  EXPECT_FALSE(saver_.is_saved());
  EXPECT_THAT(said(), AllOf(HasSubstr("metrics.jsonl: cannot be written: No such file"),
                            HasSubstr(path_.string() + ": the run is gone: removed, or no longer"),
                            HasSubstr("step 2 is not saved")));
  fs::create_directories(path_);  // a mount point
  run_->metrics().append(R"({"step": 3})");
  save(3, 0.6, false);
  EXPECT_EQ(said(), "");  // the reasons are the same
  EXPECT_TRUE(fs::is_empty(path_));
  fs::remove(path_);
  fs::rename(dir_ / "away", path_);
  run_->metrics().append(R"({"step": 4})");
  save(4);
  EXPECT_TRUE(saver_.is_saved());
  EXPECT_THAT(said(), HasSubstr("run can be written again"));
  EXPECT_EQ(view_.checkpoint("best")->filename(), "step-00000002");
  EXPECT_EQ(validation_of(*view_.checkpoint("best")), R"({"value":0.7})");
  EXPECT_EQ(view_.checkpoint("last")->filename(), "step-00000004");
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"),
            "{\"step\": 1}\n{\"step\": 2}\n{\"step\": 3}\n{\"step\": 4}\n");
}

TEST_F(Savers, AnotherRunInItsPlaceIsLeftAlone) {
  save(1);
  fs::rename(path_, dir_ / "away");
  put_run(path_, 7, 10, made_identity(11));
  save(2);
  EXPECT_THAT(said(), HasSubstr("the run is gone: another one lies there"));
  EXPECT_THAT(steps_in(path_), ElementsAre("step-00000007"));
}

TEST_F(Savers, AReadOnlyFolderIsToldOnceAndEndsTrainingInTheEnd) {
  save(1, 0.5, true);
  fs::permissions(dir_.path(), fs::perms(0755));
  fs::permissions(elsewhere_, fs::perms(0777));
  std::string message;
  {
    const ReadOnly folders({path_, path_ / "checkpoints"});
    save(2, 0.7, true);
    save(3, 0.6, false);
    message = message_of<DataError>([&] { save(4); });
  }
  const std::string warnings = said();
  EXPECT_THAT(warnings, HasSubstr("Permission denied; step 2 is not saved"));
  EXPECT_THAT(warnings, Not(HasSubstr("step 3")));
  EXPECT_THAT(message, HasSubstr("could not be written 3 times in a row (Permission denied)"));
  EXPECT_EQ(view_.checkpoint("last")->filename(), "step-00000001");
  EXPECT_EQ(RunView(put_elsewhere()).checkpoint("last")->filename(), "step-00000004");
}

TEST_F(Savers, WhatLiesElsewhereIsARunThatCanBeGoneOnWith) {
  run_->metrics().append(R"({"step": 1})");
  save(1, 0.5, true);
  fs::rename(path_, dir_ / "away");
  run_->metrics().append(R"({"step": 2})");
  save(2, 0.7, true);
  run_->metrics().append(R"({"step": 3})");
  save(3, 0.6, false);
  const auto message = message_of<DataError>([&] { save(4); });
  const fs::path saved = put_elsewhere();
  EXPECT_THAT(message, AllOf(HasSubstr("training ends at step 4. It is not saved there, but in " +
                                       saved.string()),
                             HasSubstr("--fork " + saved.string())));
  EXPECT_EQ(RunView(saved).identity(), made_identity());
  EXPECT_EQ(RunView(saved).checkpoint("last")->filename(), "step-00000004");
  EXPECT_EQ(RunView(saved).checkpoint("best")->filename(), "step-00000002");
  // As the message says.
  fs::rename(dir_ / "away", path_);
  fs::copy(saved / "checkpoints", path_ / "checkpoints", fs::copy_options::recursive);
  run_.reset();
  run_.emplace(path_, made_identity(), config::Node::make_map({}), false, &logger_);
  const auto last = view_.checkpoint("last");
  EXPECT_EQ(last->filename(), "step-00000004");
  for (int again = 0; again < 2; ++again) {  // as if it was killed at once
    run_->metrics().truncate(4, false);
    run_->metrics().complete(*last);
    EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "{\"step\": 1}\n{\"step\": 2}\n{\"step\": 3}\n");
  }
  Saver(*run_, {}, 3).resume_at(4, 2, true);
  EXPECT_THAT(steps_in(path_), ElementsAre("step-00000002", "step-00000004"));
  EXPECT_EQ(view_.checkpoint("best")->filename(), "step-00000002");
}

TEST_F(Savers, WhereNothingCanBeSavedItSaysSo) {
  fs::rename(path_, dir_ / "away");
  fs::remove(elsewhere_);
  const FullDisk full(10);  // /tmp included
  save(1);
  EXPECT_THAT(message_of<DataError>([&] { saver_.finish(); }),
              AllOf(HasSubstr("It is saved nowhere"), HasSubstr("File too large")));
}

TEST_F(Savers, WhatAFailedSaveLeftGoesWithTheNext) {
  save(1);
  const fs::path model = path_ / "checkpoints/step-00000002/model.safetensors";
  {
    const FullDisk full(20);
    save(2);
  }
  save(2);
  EXPECT_THAT(steps_in(path_), ElementsAre("step-00000002"));
  EXPECT_EQ(read_file(model), files(2).at("model.safetensors"));
}

TEST_F(Savers, TheEndTriesOnceMore) {
  fs::rename(path_, dir_ / "away");
  save(1);
  fs::rename(dir_ / "away", path_);
  saver_.finish();
  EXPECT_TRUE(saver_.is_saved());
  EXPECT_EQ(view_.checkpoint("last")->filename(), "step-00000001");
}

TEST_F(Savers, AnotherErrorThatEndsTrainingCostsNoStep) {
  fs::rename(path_, dir_ / "away");
  save(1);
  said();
  saver_.rescue(logger_);
  EXPECT_THAT(said(), HasSubstr("It is not saved there, but in " + put_elsewhere().string()));
  EXPECT_TRUE(RunView(put_elsewhere()).checkpoint("last"));
  saver_.rescue(logger_);
  EXPECT_EQ(said(), "");
}

TEST_F(Savers, OnlyFailuresInARowCount) {
  for (int64_t step = 1; step < 8; step += 2) {
    fs::rename(path_, dir_ / "away");
    save(step);
    save(step);
    fs::rename(dir_ / "away", path_);
    save(step + 1);
  }
  EXPECT_EQ(view_.checkpoint("last")->filename(), "step-00000008");
}

TEST_F(Savers, WhatAValidationFoundIsWrittenLater) {
  saver_.save(1, files(1));
  fs::rename(path_, dir_ / "away");
  saver_.add_validation(1, R"({"value": 1})", true);
  EXPECT_THAT(said(), HasSubstr("the run is gone"));
  fs::rename(dir_ / "away", path_);
  save(2);
  EXPECT_EQ(view_.checkpoint("best")->filename(), "step-00000001");
  EXPECT_EQ(validation_of(*view_.checkpoint("best")), R"({"value": 1})");
}

}  // namespace
}  // namespace limbeck::test
