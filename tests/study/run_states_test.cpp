#include "study/run_states.h"

#include <gmock/gmock.h>

#include <fstream>
#include <optional>

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/safetensors.h"
#include "limbeck/run/run_view.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"
#include "paths.h"
#include "run/support.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::put_run;
using test::put_text;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string row(const std::string& id, const char* split, char hash) {
  return id + "," + id + ".flac,ann," + split + ",16000,16000," + std::string(32, hash) + "\n";
}

/// The demo's study, of one seed and the scenario "narrower latent", with and without a teacher.
class StudyRuns : public ::testing::Test {
 protected:
  StudyRuns() {
    const std::string header = "id,path,speaker,split,samples,rate,hash\n";
    put_text(dir_ / "speech.csv", header + row("a", "train", '1') + row("b", "valid", '2'));
    put_text(dir_ / "noise.csv", header + row("m", "train", '3') + row("n", "valid", '4'));
  }

  StudyPlan plan(const std::vector<std::string>& more = {}, const char* study = "study") const {
    std::vector<std::string> sets = {
        "study.seeds=[1]", "study.dir=" + (dir_ / study).string(),
        "overrides.data.source.speech=" + (dir_ / "speech.csv").string(),
        "overrides.data.source.noise=" + (dir_ / "noise.csv").string(), "overrides.train.steps=10"};
    sets.insert(sets.end(), more.begin(), more.end());
    return plan_study(
        config::load<StudyConfig>({test::source_dir() / "configs/study/demo.yaml"}, sets));
  }

  static Identity identity(const StudyRun& run, const std::string& teacher = "") {
    return training_identity(run.config, content_of(run.config.data), teacher);
  }
  /// Leaves the teacher and both students of the first scenario as trained.
  static void put_all(const StudyPlan& plan) {
    put_run(plan.teachers[0].dir, 10, 10, identity(plan.teachers[0]));
    const std::string teacher = find_model(plan.teachers[0].dir, "best").hash;
    for (const StudyRun* student : first_students(plan)) {
      put_run(student->dir, 10, 10, identity(*student, teacher));
    }
  }
  /// Leaves a run as it was before its first checkpoint.
  static void remove_checkpoints(const StudyRun& run) {
    for (const char* name : {"checkpoints", "best.json", "last.json"}) {
      fs::remove_all(run.dir / name);
    }
  }
  /// Methods none and cosine.
  static std::vector<const StudyRun*> first_students(const StudyPlan& plan) {
    return {&plan.students[0], &plan.students[1]};
  }

  static std::vector<std::string> states(const StudyPlan& plan) {
    RunStates found(plan);
    std::vector<std::string> names = {state_name(found.of(plan.teachers[0]).state)};
    for (const StudyRun* student : first_students(plan)) {
      names.emplace_back(state_name(found.of(*student).state));
    }
    return names;
  }
  static std::string refusal(const StudyPlan& plan) {
    std::vector<const StudyRun*> runs = {&plan.teachers[0]};
    for (const StudyRun* student : first_students(plan)) runs.push_back(student);
    return message_of<ConfigError>([&] { require_none_refused(plan, runs); });
  }
  static void require_none_refused(const StudyPlan& plan,
                                   const std::vector<const StudyRun*>& runs) {
    RunStates found(plan);
    std::vector<RunStanding> standings;
    for (const StudyRun* run : runs) standings.push_back(found.of(*run));
    found.require_none_refused(runs, standings);
  }

  test::TempDir dir_;
};

TEST_F(StudyRuns, WaitForTheirTeacherOrNot) {
  EXPECT_THAT(states(plan()), ElementsAre("to train", "to train", "after teacher"));
  put_run(plan().teachers[0].dir, 4, 10, identity(plan().teachers[0]));
  EXPECT_THAT(states(plan()), ElementsAre("to resume", "to train", "after teacher"));
  put_run(plan().teachers[0].dir, 10, 10, identity(plan().teachers[0]));
  EXPECT_THAT(states(plan()), ElementsAre("done", "to train", "to train"));
  EXPECT_FALSE(fs::exists(plan().students[0].dir));
}

TEST_F(StudyRuns, CountAsDoneWithTheSameIdentity) {
  put_all(plan());
  EXPECT_THAT(states(plan()), ElementsAre("done", "done", "done"));
  EXPECT_NO_THROW(require_none_refused(plan(), {&plan().teachers[0]}));
  // Without a checkpoint a run has all of its way to go.
  remove_checkpoints(plan().students[1]);
  EXPECT_THAT(states(plan()), ElementsAre("done", "done", "to resume"));
}

TEST_F(StudyRuns, OfAnotherLearningRateAreRefusedWithTheKey) {
  put_all(plan());
  const StudyPlan changed = plan({"overrides.train.optimizer.lr=0.125"});
  EXPECT_THAT(states(changed), ElementsAre("refused", "refused", "refused"));
  const std::string message = refusal(changed);
  EXPECT_THAT(message, HasSubstr("study: holds 3 runs of another configuration"));
  EXPECT_THAT(message, Not(HasSubstr("--restart")));
  EXPECT_THAT(message, HasSubstr("teacher t"));
  EXPECT_THAT(message, HasSubstr("narrower latent, cosine, seed 1"));
  EXPECT_THAT(message, HasSubstr("  train.optimizer.lr: "));
  EXPECT_THAT(message, HasSubstr(" → 0.125"));
  EXPECT_THAT(message, Not(HasSubstr("train.steps")));
}

TEST_F(StudyRuns, OfAnotherLengthAreRefused) {
  put_all(plan());
  EXPECT_THAT(refusal(plan({"overrides.train.steps=5"})), HasSubstr("train.steps: 10 → 5"));
}

TEST_F(StudyRuns, ThatCameToNothingAreTrainedAnewUnderAnotherConfiguration) {
  put_all(plan());
  const StudyPlan changed = plan({"overrides.train.optimizer.lr=0.125"});
  remove_checkpoints(plan().students[0]);
  put_text(plan().students[1].dir / "metrics.jsonl", R"({"step": 10, "loss": 1})"
                                                     "\n");
  EXPECT_THAT(states(changed), ElementsAre("refused", "to train anew", "refused"));
  put_text(plan().students[1].dir / "metrics.jsonl", R"({"step": 10, "loss": 1})"
                                                     "\n"
                                                     R"({"step": 11, "diverged": "loss is nan"})"
                                                     "\n");
  EXPECT_THAT(states(changed), ElementsAre("refused", "to train anew", "to train anew"));
  const auto reasons = RunStates(changed).of(changed.students[0]).reasons;
  EXPECT_THAT(reasons, Contains(HasSubstr("train.optimizer.lr: ")));
  EXPECT_THAT(refusal(changed), HasSubstr("holds 1 runs of another configuration"));
  // Nobody would miss a run that came to nothing, whatever is wrong with its identity.
  put_text(plan().students[1].dir / "identity.json", "{");
  EXPECT_THAT(states(changed), ElementsAre("refused", "to train anew", "to train anew"));
}

TEST_F(StudyRuns, ThatCannotBeReadAreDamaged) {
  put_all(plan());
  const StudyRun student = plan().students[0];
  const auto model = [](const StudyRun& run, const char* step) {
    return run.dir / "checkpoints" / step / "model.safetensors";
  };
  put_text(model(student, "step-00000010"), "torn");
  EXPECT_THAT(states(plan()), ElementsAre("done", "damaged", "done"));
  EXPECT_NO_THROW(require_none_refused(plan(), {&student}));
  // The best one alone, of the teacher.
  const StudyRun teacher = plan().teachers[0];
  put_run(teacher.dir, 11, 10, identity(teacher), false);
  EXPECT_THAT(states(plan()), ElementsAre("done", "damaged", "done"));
  put_text(model(teacher, "step-00000010"), "torn");
  EXPECT_THAT(RunStates(plan()).of(teacher).reasons,
              ElementsAre(HasSubstr("step-00000010: damaged: model.safetensors: another size")));
}

TEST_F(StudyRuns, StayDoneWhateverBecameOfTheirTeacher) {
  put_all(plan());
  const fs::path teacher = plan().teachers[0].dir;
  const fs::path checkpoint = teacher / "checkpoints/step-00000010";
  const StudyRun student = plan().students[1];
  put_text(checkpoint / "model.safetensors", "torn");
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "done"));
  fs::remove(checkpoint / "model.safetensors");
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "done"));
  // One that is not finished waits for what will not come; nor is another teacher's taken for one
  // of this.
  remove_checkpoints(student);
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "after teacher"));
  fs::remove_all(student.dir);
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "after teacher"));
  put_run(student.dir, 10, 10, identity(student, std::string(32, '0')));
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "refused"));
  // Where nothing says what the teacher was, nobody is known to have learned from it.
  put_run(student.dir, 10, 10, identity(student, RunView(teacher).recorded_model_hash("best")));
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "done"));
  const std::string whole = read_file(teacher / "identity.json");
  put_text(teacher / "identity.json", "{");
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "after teacher"));
  put_text(teacher / "identity.json", whole);
  put_text(checkpoint / "manifest.json", "{");
  EXPECT_THAT(states(plan()), ElementsAre("damaged", "done", "after teacher"));
}

/// Bytes that this process has read; nothing where the system does not say.
std::optional<int64_t> bytes_read() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  int64_t count = 0;
  if (counters >> name >> count && name == "rchar:") return count;
  return std::nullopt;
}

TEST_F(StudyRuns, AreReadOnce) {
  const StudyPlan all = plan();
  const StudyRun& teacher = all.teachers[0];
  put_run(teacher.dir, 10, 10, identity(teacher));
  constexpr int64_t kBytes = 1 << 22;
  SafeTensorsHeader header;
  header.metadata["limbeck"] = std::string(kBytes, 'x');
  CheckpointStore store(teacher.dir);
  store.save(10,
             {{"model.safetensors", safetensors_header_bytes(header)},
              {"state.json", R"({"step": 10, "planned_steps": 10})"}},
             true);
  store.add_validation(10, "{}", true);
  RunStates states(all);
  const auto before = bytes_read();
  if (!before) GTEST_SKIP() << "no /proc/self/io";
  EXPECT_EQ(states.of(teacher).state, StudyRunState::done);
  EXPECT_LT(*bytes_read() - *before, kBytes * 3 / 2);
  // For its hash, and then no more.
  EXPECT_EQ(states.of(all.students[1]).state, StudyRunState::to_train);
  EXPECT_LT(*bytes_read() - *before, kBytes * 5 / 2);
  EXPECT_EQ(states.of(all.students[1]).state, StudyRunState::to_train);
  EXPECT_TRUE(states.is_known_as_done(teacher));
  EXPECT_EQ(states.of(teacher).state, StudyRunState::done);
  EXPECT_LT(*bytes_read() - *before, kBytes * 5 / 2);
}

TEST_F(StudyRuns, OfOtherDataAreRefused) {
  put_all(plan());
  put_text(dir_ / "noise.csv", "id,path,speaker,split,samples,rate,hash\n" +
                                   row("m", "train", '5') + row("n", "valid", '4'));
  EXPECT_THAT(refusal(plan()), HasSubstr("  data.source.noise: "));
}

TEST_F(StudyRuns, MayBeMovedWithTheirData) {
  put_all(plan());
  fs::rename(dir_ / "study", dir_ / "renamed study");
  fs::rename(dir_ / "speech.csv", dir_ / "moved.csv");
  EXPECT_THAT(states(plan({"overrides.data.source.speech=" + (dir_ / "moved.csv").string()},
                          "renamed study")),
              ElementsAre("done", "done", "done"));
}

TEST_F(StudyRuns, OfAnotherTeacherAreRefusedOnceItIsKnown) {
  put_all(plan());
  fs::remove_all(plan().teachers[0].dir);
  EXPECT_THAT(states(plan()), ElementsAre("to train", "done", "after teacher"));
  // What is known to differ is told before the teacher is trained.
  EXPECT_THAT(states(plan({"overrides.train.optimizer.lr=0.125"})),
              ElementsAre("to train", "refused", "refused"));
  put_run(plan().teachers[0].dir, 10, 10, identity(plan().teachers[0]));
  CheckpointStore store(plan().teachers[0].dir);
  store.save(10,
             {{"model.safetensors", test::model_bytes("trained again")},
              {"state.json", R"({"step": 10, "planned_steps": 10})"}},
             true);
  store.add_validation(10, "{}", true);
  EXPECT_THAT(states(plan()), ElementsAre("done", "done", "refused"));
  EXPECT_THAT(refusal(plan()), HasSubstr("narrower latent, cosine, seed 1\n  teacher.model: "));
}

TEST_F(StudyRuns, WithoutIdentityAreRefusedByName) {
  put_all(plan());
  fs::remove(plan().students[0].dir / "identity.json");
  EXPECT_THAT(states(plan()), ElementsAre("done", "refused", "done"));
  EXPECT_THAT(refusal(plan()),
              HasSubstr("is a run without identity.json, of an older version than this one"));
}

TEST_F(StudyRuns, WhatTheyBeginWithIsKnownByItsContent) {
  put_text(dir_ / "first.safetensors", test::model_bytes("first"));
  put_text(dir_ / "copy.safetensors", test::model_bytes("first"));
  put_text(dir_ / "other.safetensors", test::model_bytes("other"));
  const auto with = [&](const char* file) {
    return plan({"overrides.train.init=" + (dir_ / file).string()});
  };
  const auto first = with("first.safetensors");
  const auto& config = first.teachers[0].config;
  put_run(first.teachers[0].dir, 10, 10,
          training_identity(config, content_of(config.data), "", find_init(config.train)->hash));
  EXPECT_EQ(states(with("first.safetensors"))[0], "done");
  EXPECT_EQ(states(with("copy.safetensors"))[0], "done");
  EXPECT_EQ(states(with("other.safetensors"))[0], "refused");
}

}  // namespace
}  // namespace limbeck
