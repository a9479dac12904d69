#include "study/node.h"

#include <gmock/gmock.h>

#include <thread>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/study/study.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::put_text;
using ::testing::HasSubstr;

StudyPlan plan_of(const std::vector<std::string>& ids) {
  StudyPlan plan;
  plan.dir = "studies/s";
  for (const std::string& id : ids) plan.nodes.push_back({.id = id, .label = id});
  return plan;
}

TEST(StudyNodes, AreFoundByTheirIdsOrTheNearestIsNamed) {
  const StudyPlan plan = plan_of({"teachers/t", "runs/a/none/seed-1", "runs/a/none/seed-2"});
  EXPECT_EQ(require_node(plan, "runs/a/none/seed-2"), 2U);
  const auto refused = [&](const std::string& id) -> std::string {
    try {
      require_node(plan, id);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refused("teacher/t"), "studies/s: no node 'teacher/t'; did you mean 'teachers/t'?");
  EXPECT_THAT(refused("something else"), HasSubstr("--dry-run lists them"));
}

TEST(StudyNodes, WhatDivergedOrIsDamagedIsBegunAnewOnDemandOnly) {
  const StudyPlan plan = plan_of({"runs/a/none/seed-1"});
  const NodeStanding diverged{.state = NodeState::diverged};
  const NodeStanding damaged{.state = NodeState::damaged,
                             .reasons = {"no checkpoint is sound"},
                             .identity = Identity("training", 1)};
  EXPECT_EQ(obstacle(plan, 0, diverged, false),
            "it diverged; limbeck-study retry studies/s runs/a/none/seed-1 trains it anew");
  EXPECT_EQ(obstacle(plan, 0, damaged, false),
            "no checkpoint is sound; limbeck-study retry studies/s runs/a/none/seed-1 trains it "
            "anew");
  EXPECT_EQ(obstacle(plan, 0, diverged, true), "");
  EXPECT_EQ(obstacle(plan, 0, damaged, true), "");
  EXPECT_EQ(obstacle(plan, 0, {.state = NodeState::damaged, .reasons = {"all diverged"}}, true),
            "all diverged");
  EXPECT_THAT(
      obstacle(plan, 0, {.state = NodeState::changed, .reasons = {"run.seed: 1 → 7"}}, true),
      HasSubstr("--restart-changed trains it anew): run.seed: 1 → 7"));
  for (const NodeState state : {NodeState::waiting, NodeState::to_run, NodeState::to_run_anew,
                                NodeState::to_resume, NodeState::done}) {
    EXPECT_EQ(obstacle(plan, 0, {.state = state}, false), "");
  }
}

/// Nodes of studies whose data are not there, so that no training begins.
class StudyNodeRuns : public test::PutStudy {
 protected:
  static std::string error_of(const Study& study, const std::string& id, Logger& logger) {
    write_file_atomically(study.plan.dir / "study.yaml",
                          config::to_yaml(config::to_node(study.config)));
    try {
      run_study_node(study.plan.dir, id, {}, logger);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  Logger quiet_{Verbosity::quiet};
};

TEST_F(StudyNodeRuns, FindWhatTheyNeedInTheStore) {
  const fs::path teacher = put(study(), "teachers/t");
  const Study other = study({}, "other");
  fs::create_directories(other.plan.dir);
  error_of(other, "runs/narrower-latent/cosine/seed-1", quiet_);
  ASSERT_TRUE(fs::exists(other.plan.dir / "teachers/t"));
  EXPECT_EQ(fs::canonical(other.plan.dir / "teachers/t"), fs::canonical(teacher));
}

TEST_F(StudyNodeRuns, LearnFromTheTeacherThatIsMeantWhateverTheLinkLedTo) {
  const fs::path teacher = put(study(), "teachers/t");
  const Study other = study({}, "other");
  const fs::path hot = put(study({"teachers.t.run.seed=9"}, "other"), "teachers/t");
  put_text(hot / "metrics.jsonl", "{\"step\": 10, \"diverged\": \"loss is nan\"}\n");
  error_of(other, "runs/narrower-latent/cosine/seed-1", quiet_);
  EXPECT_EQ(fs::canonical(other.plan.dir / "teachers/t"), fs::canonical(teacher));
}

TEST_F(StudyNodeRuns, LookAgainAtWhatTheyNeedOnceTheyHaveWaited) {
  const Study all = study(test::searched());
  const auto point = [](int p) {
    return format("search/narrower-latent/none/point-%d/seed-101", p);
  };
  for (int p = 1; p <= 3; ++p) {
    const nlohmann::json found = {
        {"select", "loss"}, {"best_step", 10}, {"best_value", p}, {"value", p}};
    CheckpointStore(put(all, point(p))).add_validation(10, found.dump(), true);
  }
  const fs::path metrics = fs::canonical(all.plan.dir / point(3)) / "metrics.jsonl";
  put_text(metrics, "{\"step\": 10, \"diverged\": \"loss is nan\"}\n");
  const char* id = "runs/narrower-latent/none/seed-1";
  const fs::path folder = put(all, id, "", 4);
  auto lock = std::make_unique<DirectoryLock>(folder);
  Logger logger(Verbosity::quiet);
  logger.add_file(dir_ / "log");
  std::string error;
  std::thread node([&] { error = error_of(all, id, logger); });
  for (int i = 0; i < 1000 && read_file(dir_ / "log").find("waiting for") == std::string::npos;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  fs::remove_all(metrics.parent_path());  // and is to run again
  lock.reset();
  node.join();
  EXPECT_THAT(error, HasSubstr("needs what is not done yet"));
}

}  // namespace
}  // namespace limbeck
