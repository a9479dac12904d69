#include "limbeck/run/continuation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Continuations : public testing::Test {
 protected:
  Continuation ask(int64_t steps, bool extend = false) {
    return continue_run(run_, stored_identity(run_), made_identity(steps), steps, extend);
  }
  RunDir open(const Continuation& as) {
    return {path_, as.identity, config::Node::make_map({}), false, nullptr, as.before};
  }
  std::string refusal(int64_t steps, bool extend) {
    return message_of<ConfigError>([&] { ask(steps, extend); });
  }

  TempDir dir_;
  fs::path path_ = dir_ / "run";
  RunView run_{path_};
};

TEST_F(Continuations, ANewRunIsWhatWasPlanned) {
  const auto as = ask(10, true);
  EXPECT_EQ(as.identity, made_identity(10));
  EXPECT_FALSE(as.before);
  EXPECT_EQ(as.plan.steps_at(0), 10);
  open(as);
  EXPECT_EQ(run_.identity(), made_identity(10));
  // It was killed before its first checkpoint: as if it had been longer from the start.
  EXPECT_THAT(refusal(20, false), HasSubstr("--extend"));
  open(ask(20, true));
  EXPECT_EQ(run_.identity(), made_identity(20));
}

TEST_F(Continuations, AFinishedRunThatIsAskedForMoreSaysWhatToDo) {
  put_run(path_, 10, 10);
  EXPECT_THAT(refusal(20, false), AllOf(HasSubstr("10 of 10 steps are done, and 20 are asked for"),
                                        HasSubstr("--extend"), HasSubstr("--restart")));
  EXPECT_THAT(refusal(9, true), HasSubstr("has 10 steps done already, and only 9"));
}

TEST_F(Continuations, ADamagedStateIsNamed) {
  put_run(path_, 8, 10);
  const fs::path folder = path_ / "checkpoints/step-00000008";
  put_text(folder / "manifest.json", R"({"format": 1, "files": {}})");
  for (const char* state : {"5", R"({"step": "eight"})", R"({"planned_steps": []})"}) {
    put_text(folder / "state.json", state);
    EXPECT_THAT(message_of<CheckpointError>([&] { ask(20, true); }),
                StartsWith((folder / "state.json").string() + ": malformed: "));
  }
}

TEST_F(Continuations, ARunIsExtendedAndKnowsIt) {
  put_run(path_, 4, 10);
  EXPECT_THAT(refusal(8, true), HasSubstr("is planned for 10 steps, and only 8 are asked for"));
  const auto as = ask(20, true);
  EXPECT_EQ(as.plan.steps_at(3), 10);
  EXPECT_EQ(as.plan.steps_at(4), 20);
  {
    open(as);
  }
  EXPECT_THAT(run_.identity().text(), HasSubstr("extended"));
  EXPECT_NE(run_.identity(), made_identity(20));
  // With and without --extend it is gone on with.
  for (const bool extend : {false, true}) {
    const auto again = ask(20, extend);
    EXPECT_EQ(again.identity, run_.identity());
    EXPECT_FALSE(again.before);
    EXPECT_EQ(again.plan.steps_at(3), 10);
    EXPECT_NO_THROW(open(again));
  }
  EXPECT_THAT(refusal(10, true), HasSubstr("is planned for 20 steps"));
  put_run(path_, 20, 20, run_.identity());
  EXPECT_EQ(run_.state(), RunState::finished);
  const auto longer = ask(30, true);
  EXPECT_EQ(longer.plan.steps_at(3), 10);
  EXPECT_EQ(longer.plan.steps_at(4), 20);
  EXPECT_EQ(longer.plan.steps_at(20), 30);
  EXPECT_TRUE(longer.plan.ends_at(20));
  EXPECT_FALSE(longer.plan.ends_at(10));
  {
    open(longer);
  }
  EXPECT_EQ(run_.state(), RunState::interrupted);  // though its last checkpoint does not know yet
}

TEST_F(Continuations, ARunThatDiffersInMoreIsRefusedWithAllOfIt) {
  put_run(path_, 4, 10);
  Identity other = made_identity(20);
  other.set("train.lr", 0.5);
  const auto as = continue_run(run_, stored_identity(run_), other, 20, true);
  EXPECT_THAT(message_of<ConfigError>([&] { open(as); }),
              AllOf(HasSubstr("train.lr: 0.1 → 0.5"), HasSubstr("train.steps: 10 → 20")));
}

class Forks : public testing::Test {
 protected:
  Forks() {
    put_run(parent_, 4, 10);
    put_run(parent_, 6, 10, made_identity(), false);
    planned_.set("train.lr", 0.5);
  }
  std::optional<Fork> plan(Identity& planned, const fs::path& parent,
                           const std::string& which = "last") {
    return plan_fork(run_, stored_identity(run_), parent, which, planned);
  }

  TempDir dir_;
  fs::path parent_ = dir_ / "parent";
  fs::path path_ = dir_ / "run";
  RunView run_{path_};
  Identity planned_ = made_identity(20);
};

TEST_F(Forks, AreAnotherRunByParentAndCheckpoint) {
  Identity last = planned_;
  Identity best = planned_;
  EXPECT_EQ(plan(last, parent_)->step, 6);
  EXPECT_EQ(plan(best, parent_, "best")->step, 4);
  EXPECT_EQ(last.differences(best).size(), 1U);
  EXPECT_EQ(last.facts().find("fork")->find("parent")->scalar, RunView(parent_).identity().hash());
  EXPECT_THAT(message_of<ConfigError>([&] { plan(last, dir_ / "none"); }),
              HasSubstr("--fork: " + (dir_ / "none").string() + ": no such run"));
}

TEST_F(Forks, NeedTheStateOfTheCheckpoint) {
  const fs::path folder = parent_ / "checkpoints/step-00000006";
  put_text(folder / "manifest.json", R"({"format": 1, "files": {}})");
  EXPECT_THAT(message_of<ConfigError>([&] { plan(planned_, parent_); }),
              HasSubstr("--fork: " + folder.string() + ": malformed: "));
}

TEST_F(Forks, BeginWithTheCheckpointAndLeaveTheParentAlone) {
  const auto fork = plan(planned_, parent_);
  const std::string before = read_file(parent_ / "checkpoints/step-00000006/state.json");
  {
    const RunDir run(path_, planned_, config::Node::make_map({}), false);
    Identity again = made_identity(20);  // killed before the checkpoint was there
    again.set("train.lr", 0.5);
    EXPECT_THAT(message_of<ConfigError>([&] { plan(again, ""); }), HasSubstr("give --fork"));
    EXPECT_TRUE(plan(again, parent_));
    begin_with(*fork, run, 20);
  }
  const auto last = run_.checkpoint("last");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->filename(), "step-00000006");
  EXPECT_FALSE(validation_of(*last));
  EXPECT_EQ(read_file(*last / "model.safetensors"),
            read_file(parent_ / "checkpoints/step-00000006/model.safetensors"));
  const auto state = nlohmann::json::parse(read_file(*last / "state.json"));
  EXPECT_EQ(state["planned_steps"], 20);
  EXPECT_FALSE(state.contains("found"));
  EXPECT_EQ(read_file(parent_ / "checkpoints/step-00000006/state.json"), before);
  EXPECT_EQ(RunView(parent_).state(), RunState::interrupted);
  // From now on the same command goes on, with or without --fork, wherever the parent has come to.
  put_run(parent_, 8, 10);
  for (const fs::path& parent : {parent_, fs::path(), dir_ / "gone"}) {
    Identity again = made_identity(20);
    again.set("train.lr", 0.5);
    EXPECT_FALSE(plan(again, parent));
    EXPECT_EQ(again, run_.identity());
  }
  put_run(dir_ / "other", 4, 10, made_identity(11));
  Identity again = made_identity(20);
  plan(again, dir_ / "other");
  EXPECT_NE(again.facts().find("fork")->find("parent")->scalar,
            planned_.facts().find("fork")->find("parent")->scalar);
}

}  // namespace
}  // namespace limbeck::test
