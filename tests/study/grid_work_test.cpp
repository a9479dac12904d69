#include "study/grid_work.h"

#include <gmock/gmock.h>

#include "limbeck/run/trained_model.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::message_of;
using test::put_text;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kPoint = "search/narrower-latent/none/point-2/seed-101";
constexpr const char* kStudent = "runs/narrower-latent/none/seed-1";

class GridTasks : public test::PutStudy {
 protected:
  GridTasks() { fs::create_directories(all_.plan.dir); }

  template <class Ask>
  auto with(const StudyRunOptions& options, const Ask& ask) {
    RunStates states(all_.config, all_.plan);
    StateFile file(all_.plan.dir);
    const Machine machine;
    Logger quiet(Verbosity::quiet);
    GridWork work(all_.config, all_.plan, options, machine, states, file, quiet);
    return ask(work);
  }

  bool is_done(const std::string& id, const StudyRunOptions& options) {
    return with(options, [&](GridWork& work) { return work.is_done(at(all_.plan, id)); });
  }
  static StudyRunOptions retry(const std::vector<std::string>& ids = {}) {
    StudyRunOptions options;
    options.retry = true;
    options.retried = ids;
    return options;
  }

  const Study all_ = study(test::searched());
  const StudyRunOptions run_;
};

TEST_F(GridTasks, TrainADamagedPointAnewWithAllThatIsRetried) {
  put_text(put(all_, kPoint) / "checkpoints/step-00000010/model.safetensors", "torn");
  EXPECT_THAT(message_of<DataError>([&] { is_done(kPoint, run_); }), HasSubstr("trains it anew"));
  EXPECT_FALSE(is_done(kPoint, retry()));
  const auto command = with(
      retry(), [&](GridWork& work) { return work.command(at(all_.plan, kPoint), "").arguments; });
  EXPECT_THAT(command, Contains("--restart"));
}

TEST_F(GridTasks, TrainAPointThatDivergedAnewOnlyWhereItIsNamed) {
  put_text(put(all_, kPoint) / "metrics.jsonl", "{\"step\": 10, \"diverged\": \"nan\"}\n");
  EXPECT_TRUE(is_done(kPoint, run_));
  EXPECT_TRUE(is_done(kPoint, retry()));
  EXPECT_TRUE(is_done(kPoint, retry({kStudent})));
  EXPECT_FALSE(is_done(kPoint, retry({kPoint})));
}

TEST_F(GridTasks, ScoreAgainWhatIsNotDefinedOnlyOnDemand) {
  const std::string id = "scores/teachers/t";
  const fs::path run = put(all_, "teachers/t");
  RunStates states(all_.config, all_.plan);
  const auto put_undefined = [&](const std::vector<UtteranceFailure>& undefined) {
    put_scores(states.scores_folder(run, 0), find_model(run, "best").hash,
               read_test_set((dir_ / "test.csv").string(), ""), undefined);
  };
  EXPECT_FALSE(is_done(id, run_));
  put_undefined({});
  EXPECT_TRUE(is_done(id, retry()));
  put_undefined({{"x", "", "no such file"}});
  EXPECT_TRUE(is_done(id, run_));
  EXPECT_FALSE(is_done(id, retry()));
  const auto verdict = with(run_, [&](GridWork& work) {
    return work.judge(at(all_.plan, id), static_cast<int>(ExitCode::some_failed), 1);
  });
  EXPECT_EQ(verdict, Verdict::done);
}

}  // namespace
}  // namespace limbeck
