#include "limbeck/run/run_details.h"

#include <gmock/gmock.h>

#include "core/interrupted.h"
#include "limbeck/core/error.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class RunsInDetail : public testing::Test {
 protected:
  fs::path put(const std::string& name, const Identity& identity = made_identity()) const {
    put_run(dir_ / name, 4, 10, identity);
    put_text(dir_ / name / "checkpoints/step-00000004/validation.json",
             R"({"best_step": 4, "best_value": 7.5})");
    return dir_ / name;
  }

  TempDir dir_;
};

TEST_F(RunsInDetail, TellAllThatIsKnown) {
  const fs::path path = put("a");
  put_run(path, 8, 10, made_identity(), false);
  put_text(path / "checkpoints/step-00000008/validation.json",
           R"({"best_step": 4, "best_value": 7.5})");
  put_text(path / "environment.json",
           R"({"libtorch": "2.6", "threads": 2, "notes": ["x", "y"], "protocol": "",
               "command": ["limbeck-pretrain", "a b.yaml"]})");
  put_text(path / "metrics.jsonl",
           "{\"step\": 4, \"split\": \"valid\", \"si_sdr\": 7.5}\n"
           "{\"step\": 8, \"split\": \"train\", \"loss\": 3, \"timing\": {\"wait\": 0.5}}\n"
           "{\"step\": 8, \"split\": \"valid\", \"si_sdr\": 7.25}\n");
  put_text(path / "checkpoints/step-00000004/state.json", "x");
  const RunDetails details = inspect_run(path);
  EXPECT_EQ(details.hash, made_identity().hash());
  EXPECT_THAT(details.identity, ElementsAre(Pair("train", "{lr: 0.1, steps: 10}")));
  EXPECT_THAT(details.environment,
              ElementsAre(Pair("libtorch", "2.6"), Pair("threads", "2"), Pair("notes", "[x, y]"),
                          Pair("command", "limbeck-pretrain 'a b.yaml'")));
  ASSERT_EQ(details.checkpoints.size(), 2U);
  const auto& [best, last] = std::pair(details.checkpoints[0], details.checkpoints[1]);
  EXPECT_TRUE(best.is_best && !best.is_last && !last.is_best && last.is_last);
  EXPECT_EQ(best.name, "step-00000004");
  EXPECT_EQ(best.wrong, "state.json: another size");
  EXPECT_EQ(last.wrong, "");
  EXPECT_EQ(best.value, 7.5);
  EXPECT_EQ(last.value, 7.25);
  EXPECT_EQ(details.last_values.at("train").at("timing.wait"), 0.5);
  EXPECT_EQ(details.last_values.at("valid").at("si_sdr"), 7.25);
  EXPECT_EQ(details.next, "limbeck-pretrain " + (path / "config.yaml").string() +
                              " --set run.dir=" + path.string());
}

TEST_F(RunsInDetail, SayHowToGoOn) {
  EXPECT_THAT(message_of<CheckpointError>([&] { inspect_run(dir_ / "none"); }),
              HasSubstr("none: no such run"));
  const fs::path path = put("it's");
  EXPECT_THAT(inspect_run(path).next, HasSubstr("it'\\''s/config.yaml' --set 'run.dir="));
  put_text(path / "metrics.jsonl", "{\"step\": 5, \"diverged\": \"loss is nan\"}\n");
  const RunDetails diverged = inspect_run(path);
  EXPECT_EQ(diverged.diverged, "loss is nan");
  EXPECT_THAT(diverged.next, HasSubstr("/config.yaml' --set run.dir=NEW --fork '"));
  put_run(dir_ / "done", 10, 10);
  EXPECT_THAT(inspect_run(dir_ / "done").next, HasSubstr("it is finished"));
  const DirectoryLock training(dir_ / "done");
  EXPECT_EQ(inspect_run(dir_ / "done").next, "it is being trained");
}

TEST_F(RunsInDetail, AreNotReadOnWhenInterrupted) {
  const fs::path path = put("a");
  EXPECT_EQ(exit_when_interrupted([&] { inspect_run(path); }), 130);
}

TEST_F(RunsInDetail, DamageIsTold) {
  const fs::path path = put("a");
  put_text(path / "environment.json", "{\"a\": ");
  put_text(path / "identity.json", "[]");
  const RunDetails details = inspect_run(path);
  EXPECT_THAT(
      details.summary.problems,
      testing::UnorderedElementsAre(HasSubstr("identity.json"), HasSubstr("environment.json")));
  EXPECT_EQ(details.checkpoints.size(), 1U);
}

TEST_F(RunsInDetail, AreComparedByIdentityAndEnvironment) {
  const fs::path a = put("a"), b = put("b", made_identity(20)), c = put("c");
  put_text(a / "environment.json",
           R"({"libtorch": "2.6", "threads": 2, "command": ["a"], "started": "x"})");
  put_text(b / "environment.json", R"({"libtorch": "2.15", "threads": 2})");
  const RunDifferences found = compare_runs(a, b);
  EXPECT_THAT(found.identity, ElementsAre("train.steps: 10 → 20"));
  EXPECT_THAT(found.environment, ElementsAre("libtorch: \"2.6\" → \"2.15\""));
  EXPECT_THAT(compare_runs(a, a).identity, IsEmpty());
  EXPECT_THAT(compare_runs(a, a).environment, IsEmpty());
  EXPECT_THAT(compare_runs(a, c).environment,
              ElementsAre(HasSubstr("(not set)"), HasSubstr("(not set)")));
  EXPECT_THAT(message_of<CheckpointError>([&] { compare_runs(a, dir_ / "none"); }),
              HasSubstr("none: no such run"));
}

}  // namespace
}  // namespace limbeck::test
