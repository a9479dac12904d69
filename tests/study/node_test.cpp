#include "study/node.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

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

}  // namespace
}  // namespace limbeck
