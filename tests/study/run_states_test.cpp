#include "study/run_states.h"

#include <gmock/gmock.h>

#include <fstream>
#include <optional>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/safetensors.h"
#include "limbeck/run/trained_model.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::kCosine;
using test::kNone;
using test::kTeacher;
using test::message_of;
using test::put_run;
using test::put_text;
using test::searched;
using test::with;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The teacher and both students of the first scenario.
class StudyRuns : public test::PutStudy {
 protected:
  static void put_all(const Study& study) {
    const fs::path teacher = put(study, kTeacher);
    put(study, kNone);
    put(study, kCosine, find_model(teacher, "best").hash);
  }
  static fs::path link(const Study& study, const char* id) { return study.plan.dir / id; }
  /// Leaves a run as it was before its first checkpoint.
  static void remove_checkpoints(const fs::path& run) {
    for (const char* name : {"checkpoints", "best.json", "last.json"}) fs::remove_all(run / name);
  }

  static std::vector<std::string> states(const Study& study) {
    RunStates found(study.config, study.plan);
    std::vector<std::string> names;
    for (const char* id : {kTeacher, kNone, kCosine}) {
      names.emplace_back(to_string(found.of(at(study.plan, id)).state));
    }
    return names;
  }
  static std::string refusal(const Study& study) {
    const auto standings = RunStates(study.config, study.plan).all();
    return message_of<ConfigError>([&] { require_none_changed(study.plan, standings); });
  }
};

TEST_F(StudyRuns, WaitForTheirTeacherOrNot) {
  EXPECT_THAT(states(study()), ElementsAre("to run", "to run", "waiting"));
  put(study(), kTeacher, "", 4);
  EXPECT_THAT(states(study()), ElementsAre("to resume", "to run", "waiting"));
  put(study(), kTeacher);
  EXPECT_THAT(states(study()), ElementsAre("done", "to run", "to run"));
  EXPECT_FALSE(fs::exists(link(study(), kNone)));
}

TEST_F(StudyRuns, CountAsDoneWithTheSameIdentity) {
  put_all(study());
  EXPECT_THAT(states(study()), ElementsAre("done", "done", "done"));
  // Without a checkpoint a run has all of its way to go.
  remove_checkpoints(link(study(), kCosine));
  EXPECT_THAT(states(study()), ElementsAre("done", "done", "to resume"));
}

TEST_F(StudyRuns, AreFoundInTheStoreWithoutALink) {
  put_all(study());
  const Study other = study({}, "other");
  EXPECT_THAT(states(other), ElementsAre("done", "done", "done"));
  EXPECT_FALSE(fs::exists(other.plan.dir));
  EXPECT_EQ(standing(other, kCosine).folder, fs::canonical(link(study(), kCosine)));
  EXPECT_THAT(states(study({"study.store=" + (dir_ / "elsewhere").string()}, "other")),
              ElementsAre("to run", "to run", "waiting"));
}

TEST_F(StudyRuns, OfAnotherLearningRateAreChangedWithTheKey) {
  put_all(study());
  const Study changed = study({"overrides.train.optimizer.lr=0.125"});
  EXPECT_THAT(states(changed), ElementsAre("changed", "changed", "changed"));
  const std::string message = refusal(changed);
  EXPECT_THAT(message, HasSubstr("study: holds 3 runs of another configuration"));
  EXPECT_THAT(message, HasSubstr("--restart-changed"));
  EXPECT_THAT(message, HasSubstr("teacher t"));
  EXPECT_THAT(message, HasSubstr("narrower latent, cosine, seed 1"));
  EXPECT_THAT(message, HasSubstr("  train.optimizer.lr: "));
  EXPECT_THAT(message, HasSubstr(" → 0.125"));
  EXPECT_THAT(message, Not(HasSubstr("train.steps")));
  EXPECT_NO_THROW(require_none_changed(study().plan, {}));
}

TEST_F(StudyRuns, OfAnotherLengthAreChanged) {
  put_all(study());
  EXPECT_THAT(refusal(study({"overrides.train.steps=5"})), HasSubstr("train.steps: 10 → 5"));
}

TEST_F(StudyRuns, AreRestartedWithWhatDependsOnThem) {
  put_all(study());
  const Study changed = study({"teachers.t.run.seed=9"});
  EXPECT_THAT(states(changed), ElementsAre("changed", "done", "waiting"));
  const auto standings = RunStates(changed.config, changed.plan).all();
  EXPECT_THAT(restart_changed(changed.plan, standings), ElementsAre("teacher t"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(link(changed, kTeacher))));
  EXPECT_FALSE(fs::exists(fs::symlink_status(link(changed, kCosine))));
  EXPECT_TRUE(fs::exists(link(changed, kNone)));
  EXPECT_THAT(states(changed), ElementsAre("to run", "done", "waiting"));
  // Nothing is lost.
  EXPECT_THAT(states(study()), ElementsAre("done", "done", "done"));
}

TEST_F(StudyRuns, ThatCameToNothingAreTrainedAnewUnderAnotherConfiguration) {
  put_all(study());
  const Study changed = study({"overrides.train.optimizer.lr=0.125"});
  remove_checkpoints(link(study(), kNone));
  put_text(link(study(), kCosine) / "metrics.jsonl", R"({"step": 10, "loss": 1})"
                                                     "\n");
  EXPECT_THAT(states(changed), ElementsAre("changed", "to run anew", "changed"));
  EXPECT_THAT(standing(changed, kNone).reasons, Contains(HasSubstr("train.optimizer.lr: ")));
  put_text(link(study(), kCosine) / "metrics.jsonl", R"({"step": 10, "loss": 1})"
                                                     "\n"
                                                     R"({"step": 11, "diverged": "loss is nan"})"
                                                     "\n");
  EXPECT_THAT(states(changed), ElementsAre("changed", "to run anew", "waiting"));
  EXPECT_THAT(states(study()), ElementsAre("done", "to resume", "diverged"));
  EXPECT_THAT(refusal(changed), HasSubstr("holds 1 runs of another configuration"));
  // Nobody would miss a run that came to nothing, whatever is wrong with its identity.
  put_text(link(study(), kNone) / "identity.json", "{");
  EXPECT_THAT(states(changed), ElementsAre("changed", "to run anew", "waiting"));
}

TEST_F(StudyRuns, ThatCannotBeReadAreDamaged) {
  put_all(study());
  const auto model = [&](const char* id, const char* step) {
    return link(study(), id) / "checkpoints" / step / "model.safetensors";
  };
  put_text(model(kNone, "step-00000010"), "torn");
  EXPECT_THAT(states(study()), ElementsAre("done", "damaged", "done"));
  // The best one alone, of the teacher.
  put_run(fs::canonical(link(study(), kTeacher)), 11, 10, identity(study(), kTeacher), false);
  EXPECT_THAT(states(study()), ElementsAre("done", "damaged", "done"));
  put_text(model(kTeacher, "step-00000010"), "torn");
  EXPECT_THAT(standing(study(), kTeacher).reasons,
              ElementsAre(HasSubstr("step-00000010: damaged: model.safetensors: another size")));
  EXPECT_EQ(standing(study(), kTeacher).folder, fs::canonical(link(study(), kTeacher)));
}

TEST_F(StudyRuns, StayDoneWhateverBecameOfTheirTeacher) {
  put_all(study());
  const fs::path teacher = fs::canonical(link(study(), kTeacher));
  const fs::path checkpoint = teacher / "checkpoints/step-00000010";
  put_text(checkpoint / "model.safetensors", "torn");
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "done"));
  fs::remove(checkpoint / "model.safetensors");
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "done"));
  // One that is not finished waits for what will not come; nor is another teacher's taken for one
  // of this.
  const fs::path student = fs::canonical(link(study(), kCosine));
  remove_checkpoints(student);
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "waiting"));
  fs::remove_all(student);
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "waiting"));
  put(study(), kCosine, std::string(32, '0'));
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "changed"));
  // Where nothing says what the teacher was, nobody is known to have learned from it.
  put(study(), kCosine, RunView(teacher).recorded_model_hash("best"));
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "done"));
  const std::string whole = read_file(teacher / "identity.json");
  put_text(teacher / "identity.json", "{");
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "waiting"));
  put_text(teacher / "identity.json", whole);
  put_text(checkpoint / "manifest.json", "{");
  EXPECT_THAT(states(study()), ElementsAre("damaged", "done", "waiting"));
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
  const Study all = study();
  const fs::path teacher = put(all, kTeacher);
  constexpr int64_t kBytes = 1 << 22;
  SafeTensorsHeader header;
  header.metadata["limbeck"] = std::string(kBytes, 'x');
  CheckpointStore store(teacher);
  store.save(10,
             {{"model.safetensors", safetensors_header_bytes(header)},
              {"state.json", R"({"step": 10, "planned_steps": 10})"}},
             true);
  store.add_validation(10, "{}", true);
  RunStates states(all.config, all.plan);
  const auto before = bytes_read();
  if (!before) GTEST_SKIP() << "no /proc/self/io";
  EXPECT_EQ(states.of(at(all.plan, kTeacher)).state, NodeState::done);
  EXPECT_LT(*bytes_read() - *before, kBytes * 3 / 2);
  // For its hash, and then no more.
  EXPECT_EQ(states.of(at(all.plan, kCosine)).state, NodeState::to_run);
  EXPECT_LT(*bytes_read() - *before, kBytes * 5 / 2);
  EXPECT_EQ(states.of(at(all.plan, kCosine)).state, NodeState::to_run);
  EXPECT_TRUE(states.is_settled(at(all.plan, kTeacher)));
  EXPECT_LT(*bytes_read() - *before, kBytes * 5 / 2);
}

TEST_F(StudyRuns, OfOtherDataAreChanged) {
  put_all(study());
  put_text(dir_ / "noise.csv", "id,path,speaker,split,samples,rate,hash\n" +
                                   test::recording("m", "hum", "train", '5') +
                                   test::recording("n", "hiss", "valid", '4'));
  EXPECT_THAT(refusal(study()), HasSubstr("  data.source.noise: "));
}

TEST_F(StudyRuns, MayBeMovedWithTheirData) {
  put_all(study());
  fs::create_directories(dir_ / "moved");
  for (const char* folder : {"study", "store"}) fs::rename(dir_ / folder, dir_ / "moved" / folder);
  fs::rename(dir_ / "speech.csv", dir_ / "moved.csv");
  const Study moved =
      study({"overrides.data.source.speech=" + (dir_ / "moved.csv").string()}, "moved/study");
  EXPECT_THAT(states(moved), ElementsAre("done", "done", "done"));
  EXPECT_TRUE(fs::exists(link(moved, kCosine) / "identity.json"));  // links are relative
}

TEST_F(StudyRuns, OfAnotherTeacherAreChangedOnceItIsKnown) {
  put_all(study());
  const fs::path teacher = fs::canonical(link(study(), kTeacher));
  fs::remove_all(teacher);
  EXPECT_THAT(states(study()), ElementsAre("to run", "done", "waiting"));
  // What is known to differ is told before the teacher is trained.
  EXPECT_THAT(states(study({"overrides.train.optimizer.lr=0.125"})),
              ElementsAre("to run", "changed", "changed"));
  put(study(), kTeacher);
  CheckpointStore store(teacher);
  store.save(10,
             {{"model.safetensors", test::model_bytes("trained again")},
              {"state.json", R"({"step": 10, "planned_steps": 10})"}},
             true);
  store.add_validation(10, "{}", true);
  EXPECT_THAT(states(study()), ElementsAre("done", "done", "changed"));
  EXPECT_THAT(refusal(study()), HasSubstr("narrower latent, cosine, seed 1\n  teacher.model: "));
}

TEST_F(StudyRuns, OfOlderStudiesAreDoneWhereTheyLie) {
  const Study all = study();
  put_run(link(all, kNone), 10, 10, identity(all, kNone));
  EXPECT_EQ(state(all, kNone), "done");
  EXPECT_EQ(standing(all, kNone).folder, link(all, kNone));
  EXPECT_EQ(state(study({"overrides.train.steps=5"}), kNone), "changed");
  fs::remove(link(all, kNone) / "identity.json");
  EXPECT_EQ(state(all, kNone), "changed");
  EXPECT_THAT(refusal(all),
              HasSubstr("is a run without identity.json, of an older version than this one"));
}

TEST_F(StudyRuns, WhatTheyBeginWithIsKnownByItsContent) {
  put_text(dir_ / "first.safetensors", test::model_bytes("first"));
  put_text(dir_ / "copy.safetensors", test::model_bytes("first"));
  put_text(dir_ / "other.safetensors", test::model_bytes("other"));
  const auto with_init = [&](const char* file) {
    return study({"overrides.train.init=" + (dir_ / file).string()});
  };
  put(with_init("first.safetensors"), kTeacher);
  EXPECT_EQ(states(with_init("first.safetensors"))[0], "done");
  EXPECT_EQ(states(with_init("copy.safetensors"))[0], "done");
  EXPECT_EQ(states(with_init("other.safetensors"))[0], "changed");
}

TEST_F(StudyRuns, WaitForTheCacheOfTheirTeacher) {
  const Study all = study({"scenarios.0.student.data.epochs_unique=2"});
  const char* cache = "cache/narrower-latent/seed-1";
  EXPECT_EQ(state(all, cache), "waiting");
  const std::string teacher = find_model(put(all, kTeacher), "best").hash;
  EXPECT_EQ(state(all, cache), "to run");
  EXPECT_EQ(state(all, kCosine), "waiting");
  EXPECT_EQ(state(all, kNone), "to run");
  mark_filled(all.plan, all.plan.nodes[at(all.plan, cache)], *standing(all, cache).identity);
  EXPECT_EQ(state(all, cache), "to run");  // what was filled is gone
  fs::create_directories(all.plan.dir / "teacher_cache");
  EXPECT_EQ(state(all, cache), "done");
  EXPECT_EQ(state(all, kCosine), "to run");
  EXPECT_EQ(state(study({"scenarios.0.student.data.epochs_unique=3"}), cache), "to run");
  // Nobody needs it any more.
  fs::remove_all(all.plan.dir / "teacher_cache");
  put(all, kCosine, teacher);
  EXPECT_EQ(state(all, cache), "done");
}

TEST_F(StudyRuns, AreScoredByWhatTheirFolderHolds) {
  const Study all = study();
  const std::string id = std::string("scores/") + kNone;
  EXPECT_EQ(state(all, id), "waiting");
  const fs::path run = put(all, kNone);
  EXPECT_EQ(state(all, id), "to run");
  RunStates states(all.config, all.plan);
  const fs::path folder = states.scores_folder("run", 0);
  EXPECT_THAT(folder.string(), ::testing::StartsWith("run/eval/made-"));
  EXPECT_EQ(folder.string().size(), std::string("run/eval/made-01234567").size());
  EXPECT_EQ(states.of(at(all.plan, kNone)).state, NodeState::done);
  fs::remove_all(run / "checkpoints");
  EXPECT_EQ(states.of(at(all.plan, id)).state, NodeState::damaged);
}

TEST_F(StudyRuns, HaveScoresOfOtherPairsElsewhereWhateverTheSetIsCalled) {
  const Study all = study();
  const fs::path of_all = RunStates(all.config, all.plan).scores_folder("run", 0);
  std::string pairs = read_file(dir_ / "test.csv");
  put_text(dir_ / "copy.csv", pairs);
  put_text(dir_ / "other.csv", pairs.replace(pairs.rfind('8'), 1, "9"));
  const auto of = [&](const char* manifest) {
    const Study same =
        study({"study.sets=[{name: made, manifest: " + (dir_ / manifest).string() + "}]"});
    return RunStates(same.config, same.plan).scores_folder("run", 0);
  };
  EXPECT_EQ(of("copy.csv"), of_all);
  EXPECT_NE(of("other.csv"), of_all);
}

TEST_F(StudyRuns, AreScoredThoughAScoreIsNotDefined) {
  const Study all = study();
  const std::string id = std::string("scores/") + kNone;
  const fs::path run = put(all, kNone);
  RunStates states(all.config, all.plan);
  const TestSet set = read_test_set((dir_ / "test.csv").string(), "");
  put_scores(states.scores_folder(run, 0), find_model(run, "best").hash, set,
             {{"x", "si_sdr", "the clean side is silent"}, {"x", "stoi", "of another study"}});
  const NodeStanding standing = states.of(at(all.plan, id));
  EXPECT_EQ(standing.state, NodeState::done);
  EXPECT_THAT(standing.reasons, ElementsAre("made: x si_sdr: the clean side is silent"));
}

TEST_F(StudyRuns, ThatAProcessHoldsAreToResumeWhateverTheirFilesAre) {
  put_all(study());
  const fs::path run = fs::canonical(link(study(), kNone));
  {
    const DirectoryLock lock(run);
    EXPECT_EQ(state(study(), kNone), "to resume");
    put_text(run / "checkpoints/step-00000010/model.safetensors", "pruned");
    EXPECT_EQ(state(study(), kNone), "to resume");
  }
  EXPECT_EQ(state(study(), kNone), "damaged");
}

TEST_F(StudyRuns, AreListedByKind) {
  const Study all = study(searched());
  put(study(), kTeacher);
  const Study changed = study(with(searched(), {"teachers.t.run.seed=9"}));
  const auto standings = RunStates(changed.config, changed.plan).all();
  const std::string text = grid_text(changed.plan, standings, false);
  EXPECT_THAT(text, HasSubstr("teacher t: changed\n  run.seed: 1 → 9\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\\| search point +\\| +12 \\| +0 \\| +12 \\|"));
  EXPECT_THAT(text, Not(HasSubstr("runs/narrower")));
  EXPECT_THAT(
      grid_text(all.plan, standings, true),
      HasSubstr("narrower latent, none, seed 1: waiting (runs/narrower-latent/none/seed-1)\n"));
}

}  // namespace
}  // namespace limbeck
