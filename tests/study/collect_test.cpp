#include "study/collect.h"

#include <gmock/gmock.h>

#include "eval/result_files.h"
#include "eval/support.h"
#include "limbeck/core/format.h"
#include "limbeck/eval/job.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/trained_model.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::kCosine;
using test::kNone;
using test::kTeacher;
using test::put_text;
using test::searched;
using test::with;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The first scenario alone, as its trainings and scores leave it.
class Collected : public test::PutStudy {
 protected:
  explicit Collected(const std::vector<std::string>& more = {})
      : all_(study(with({"study.metrics=[si_sdr]", "study.device=cpu"}, more))),
        sets_{read_test_set((dir_ / "test.csv").string(), "")} {}

  /// A trained model with scores; `skipped` of its steps were.
  fs::path put_scored(const char* id, const std::string& teacher = "", int64_t skipped = 0) {
    const fs::path run = put(all_, id, teacher);
    const StudyNode& node = all_.plan.nodes[at(all_.plan, id)];
    const auto model =
        nn::build_model(node_config(all_.config, all_.plan, node, 0).model, SeedKey(7));
    const nlohmann::json state = {
        {"step", 10}, {"planned_steps", 10}, {"skipped", {{"total", skipped}}}};
    CheckpointStore store(run);
    store.save(10,
               {{"model.safetensors", nn::serialize_model(*model)}, {"state.json", state.dump()}},
               true);
    store.add_validation(10, "{}", true);
    put_text(run / "start.json", StartRecord{"w", "b", 10, 8, 1}.text());
    Logger quiet(Verbosity::quiet);
    const EvaluationJob job = model_job(
        {.path = run.string()}, sets_[0], {.metrics = build_metrics({"si_sdr"}), .device = "cpu"},
        RunStates(all_.config, all_.plan).scores_folder(run, 0), quiet);
    fs::create_directories(job.folder);
    write_results(job.folder, {job.identity, false, job.about, test::one_row_table(id)});
    return run;
  }
  void put_all(int64_t skipped = 0) {
    teacher_ = put_scored(kTeacher);
    none_ = put_scored(kNone, "", skipped);
    cosine_ = put_scored(kCosine, find_model(teacher_, "best").hash);
  }

  StudyResults collected() {
    RunStates states(all_.config, all_.plan);
    return collect_results(all_.config, all_.plan, sets_, {}, states);
  }
  static std::vector<std::string> labels(const StudyResults& results) {
    std::vector<std::string> found;
    for (const ScoredRun& run : results.runs) found.push_back(run.label);
    return found;
  }
  /// What is missing of the first scenario and its teacher.
  static std::vector<std::string> missing(const StudyResults& results) {
    std::vector<std::string> found;
    for (const MissingRun& run : results.missing) {
      if (run.label.find("shallower") == std::string::npos) {
        found.push_back(run.label + ": " + run.reason);
      }
    }
    return found;
  }

  Study all_;
  std::vector<TestSet> sets_;
  fs::path teacher_, none_, cosine_;
};

TEST_F(Collected, AreScoresAndWhatIsMissing) {
  put_all();
  const StudyResults results = collected();
  EXPECT_THAT(labels(results), ElementsAre("teacher t", "narrower latent, none, seed 1",
                                           "narrower latent, cosine, seed 1"));
  EXPECT_EQ(results.tables.at("made").runs.size(), 3U);
  EXPECT_EQ(results.tables.at("made").find_run(kCosine)->rows[0].scores[0], 8);
  EXPECT_GT(results.runs[0].parameters, results.runs[1].parameters);
  EXPECT_THAT(results.unfair, IsEmpty());
  ASSERT_EQ(results.missing.size(), 2U);
  EXPECT_EQ(results.missing[1].arm, (StudyArm{1, 1, 0}));
  EXPECT_EQ(results.missing[1].seed, 1);
  EXPECT_EQ(results.missing[1].teacher, "t");
  EXPECT_EQ(results.missing[1].reason, "to run");
}

TEST_F(Collected, SkippedStepsOfOneRunAreNotSaidOfASet) {
  put_all(2);
  TrainingRecord record;
  record.notes = {"partial: 3 of 4"};
  put_text(cosine_ / "data.json", record.text());
  sets_[0].notes = {"a part of it"};
  const StudyResults results = collected();
  EXPECT_EQ(results.runs.at(1).skipped_steps, 2);
  EXPECT_THAT(results.notes.at("made"), ElementsAre("a part of it", "training: partial: 3 of 4"));
}

TEST_F(Collected, AnArmThatDoesNotSayHowItBeganIsUnfair) {
  put_all();
  fs::remove(cosine_ / "start.json");
  EXPECT_THAT(collected().unfair,
              ElementsAre("narrower latent, cosine, seed 1: nothing says how it began"));
  fs::remove(teacher_ / "start.json");  // which is compared with nothing
  put_text(cosine_ / "start.json", StartRecord{"other", "b", 10, 8, 1}.text());
  EXPECT_THAT(collected().unfair, ElementsAre(HasSubstr("began with other initial weights: ")));
}

TEST_F(Collected, WhatIsWrongWithOneRunHidesNoOther) {
  put_all();
  put_text(none_ / "start.json", "{");
  const StudyResults results = collected();
  EXPECT_THAT(labels(results), ElementsAre("teacher t", "narrower latent, cosine, seed 1"));
  EXPECT_THAT(missing(results), ElementsAre(HasSubstr("start.json")));
}

class CollectedSearch : public Collected {
 protected:
  CollectedSearch() : Collected(with(searched(), {"study.search.scenario=narrower latent"})) {}

  static std::string point(const char* method, size_t index) {
    return format("search/narrower-latent/%s/point-%d/seed-101", method, index);
  }
};

TEST_F(CollectedSearch, NamesWhatHasNotEnded) {
  for (const size_t index : {1, 2, 3}) {
    const fs::path run = put(all_, point("none", index), "", index == 3 ? 4 : 10);
    CheckpointStore(run).add_validation(
        index == 3 ? 4 : 10, R"({"select": "si_sdr", "best_step": 10, "best_value": 5})", true);
  }
  const fs::path first = fs::canonical(all_.plan.dir / point("none", 1));
  put_text(first / "metrics.jsonl", "{\"step\": 10, \"diverged\": \"loss is nan\"}\n");
  const StudyResults results = collected();
  EXPECT_THAT(results.searches, IsEmpty());
  EXPECT_THAT(missing(results),
              Contains("search: narrower latent, none, train.optimizer.lr=0.004, seed 101: to "
                       "resume"));
  size_t points = 0;
  for (const MissingRun& run : results.missing) {
    if (!run.label.starts_with("search")) continue;
    ++points;
    EXPECT_FALSE(run.arm);  // so that it is no run of its method
    EXPECT_EQ(run.teacher, "");
    EXPECT_THAT(run.label, ::testing::Not(HasSubstr("none, train.optimizer.lr=0.001")));
  }
  EXPECT_EQ(points, 4U);  // with the three of cosine
}

}  // namespace
}  // namespace limbeck
