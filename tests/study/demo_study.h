#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "data/support.h"
#include "eval/result_files.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/run/run_view.h"
#include "limbeck/study/plan.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"
#include "paths.h"
#include "run/support.h"
#include "study/node_config.h"
#include "study/run_states.h"
#include "study/store.h"

namespace limbeck::test {

/// The demo's study: teacher "t", scenarios "narrower latent" and "shallower and narrower, no
/// temporal model", methods "none" and "cosine"; here of seeds 4 and 7, on data that are not there.
inline StudyConfig demo_study(const std::vector<std::string>& sets = {}) {
  std::vector<std::string> all = {"study.seeds=[4, 7]", "overrides.data.source.speech=s.csv",
                                  "overrides.data.source.noise=n.csv"};
  all.insert(all.end(), sets.begin(), sets.end());
  return config::load<StudyConfig>({source_dir() / "configs/study/demo.yaml"}, all);
}

/// Three learning rates for each method, of which `points` are tried.
inline std::vector<std::string> searched(const std::string& points = "0") {
  const std::string rates = "{train.optimizer.lr: [0.001, 0.002, 0.004]}";
  return {"methods.0.search=" + rates, "methods.1.search=" + rates,
          "study.search={seeds: [101], points: " + points + "}"};
}

inline std::vector<std::string> with(std::vector<std::string> some,
                                     const std::vector<std::string>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

/// What is wrong with a study.
inline std::string refusal_of(const std::vector<std::string>& sets) {
  return message_of<ConfigError>([&] { plan_study(demo_study(sets)); });
}

/// The teacher, and both students of the first scenario with seed 1.
inline constexpr const char* kTeacher = "teachers/t";
inline constexpr const char* kNone = "runs/narrower-latent/none/seed-1";
inline constexpr const char* kCosine = "runs/narrower-latent/cosine/seed-1";

/// Index of a node.
inline size_t at(const StudyPlan& plan, const std::string& id) {
  const auto index = plan.find(id);
  EXPECT_TRUE(index.has_value()) << id;
  return index.value_or(0);
}

/// A row of a manifest of recordings without audio.
inline std::string recording(const std::string& id, const char* speaker, const char* split,
                             char hash) {
  return id + "," + id + ".flac," + speaker + "," + split + ",16000,16000," +
         std::string(32, hash) + "\n";
}

/// The demo's study of seed 1 on manifests without audio, in a folder of its own; runs are put into
/// it as trainings leave them.
class PutStudy : public ::testing::Test {
 protected:
  struct Study {
    StudyConfig config;
    StudyPlan plan;
  };

  PutStudy() {
    const std::string header = "id,path,speaker,split,samples,rate,hash\n";
    put_text(dir_ / "speech.csv",
             header + recording("a", "ann", "train", '1') + recording("b", "bob", "valid", '2'));
    put_text(dir_ / "noise.csv",
             header + recording("m", "hum", "train", '3') + recording("n", "hiss", "valid", '4'));
    put_text(dir_ / "test.csv",
             "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\n"
             "x,c.flac,n.flac,tom,test,16000,16000," +
                 std::string(32, '7') + "," + std::string(32, '8') + "\n");
  }

  Study study(const std::vector<std::string>& more = {}, const char* name = "study") const {
    std::vector<std::string> sets = {
        "study.seeds=[1]",
        "study.dir=" + (dir_ / name).string(),
        "study.sets=[{name: made, manifest: " + (dir_ / "test.csv").string() + "}]",
        "overrides.data.source.speech=" + (dir_ / "speech.csv").string(),
        "overrides.data.source.noise=" + (dir_ / "noise.csv").string(),
        "overrides.train.steps=10"};
    sets.insert(sets.end(), more.begin(), more.end());
    StudyConfig config =
        config::load<StudyConfig>({source_dir() / "configs/study/demo.yaml"}, sets);
    StudyPlan plan = replan_study(config);
    return {std::move(config), std::move(plan)};
  }

  static Identity identity(const Study& study, const std::string& id,
                           const std::string& teacher = "", size_t choice = 0) {
    const StudyNode& node = study.plan.nodes[at(study.plan, id)];
    const TrainingConfig config = node_config(study.config, study.plan, node, choice);
    const auto init = find_init(config.train);
    return training_identity(config, content_of(config.data), teacher, init ? init->hash : "");
  }

  /// Leaves the run of a node in the store and links it, done to `step` of 10.
  static std::filesystem::path put(const Study& study, const std::string& id,
                                   const std::string& teacher = "", int64_t step = 10,
                                   size_t choice = 0) {
    const Identity known = identity(study, id, teacher, choice);
    const auto folder = enter_store(study.plan, study.plan.nodes[at(study.plan, id)], known);
    put_run(folder, step, 10, known);
    return folder;
  }

  /// Leaves scores of one utterance, "x", of which these are not defined.
  static void put_scores(const std::filesystem::path& folder, const std::string& model_hash,
                         const TestSet& set, const std::vector<UtteranceFailure>& undefined) {
    Identity known("evaluation", 1);
    known.set("fit.align", false);
    known.set("fit.resample_hz", int64_t{0});
    known.set("model", model_hash);
    known.set("set", set.pairs.content_hash());
    UtteranceScores row;
    row.id = "x";
    row.seconds = 1;
    row.scores = {NAN};
    write_results(
        folder,
        {known, false, {}, ResultTable{build_metrics({"si_sdr"}), {{"m", {row}, undefined}}}});
  }

  static NodeStanding standing(const Study& study, const std::string& id) {
    return RunStates(study.config, study.plan).of(at(study.plan, id));
  }
  static std::string state(const Study& study, const std::string& id) {
    return to_string(standing(study, id).state);
  }

  TempDir dir_;
};

}  // namespace limbeck::test
