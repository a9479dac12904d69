#include "limbeck/run/run_summary.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "limbeck/run/run_dir.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Identity identity_of(bool distilled) {
  Identity identity("training", 2);
  identity.set("train.steps", 10);
  identity.set("train.select", std::string("loss"));
  if (distilled) identity.set("distill.terms", std::vector<std::string>{"cosine"});
  return identity;
}

class RunSummaries : public testing::Test {
 protected:
  /// A run that has come to step 4 of 10, whose best loss was 0.5 at step 4.
  fs::path put(const std::string& name, bool distilled = false) const {
    put_run(dir_ / name, 4, 10, identity_of(distilled));
    const fs::path checkpoint = dir_ / name / "checkpoints/step-00000004";
    CheckpointStore(dir_ / name)
        .save(4, {{"model.safetensors", model_bytes()},
                  {"state.json", R"({"step": 4, "planned_steps": 10, "best_step": -1,
                                     "seconds": 90, "skipped": {"total": 2}})"}});
    put_text(checkpoint / "validation.json", R"({"best_step": 4, "best_value": 0.5})");
    return dir_ / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> problems, found;
    for (const fs::path& run : find_runs(dir_.path(), problems)) {
      found.push_back(run.lexically_relative(dir_.path()).string());
    }
    EXPECT_THAT(problems, IsEmpty());
    return found;
  }

  TempDir dir_;
};

TEST_F(RunSummaries, AreFoundWhereverTheyLie) {
  for (const char* name : {"s10", "s2", "study/runs/a/seed-1", "study/teachers/t"}) put(name);
  put_text(dir_ / "study/configs/a.yaml", "x: 1\n");
  fs::rename(put("hidden"), dir_ / ".hidden.tmp");
  fs::create_directory_symlink(dir_.path(), dir_ / "study/up");
  EXPECT_THAT(names(), ElementsAre("s2", "s10", "study/runs/a/seed-1", "study/teachers/t"));
  std::vector<std::string> problems;
  EXPECT_THAT(find_runs(dir_ / "s2", problems), ElementsAre(dir_ / "s2"));
  EXPECT_THAT(message_of<DataError>([&] { find_runs(dir_ / "none", problems); }),
              HasSubstr("none: no such folder"));
  fs::create_directory_symlink("loop", dir_ / "loop");
  find_runs(dir_.path(), problems);  // leads nowhere, and is no folder
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(RunSummaries, SayWhatARunIsAndHasCome) {
  const RunSummary run = summarize_run(put("a"), "name");
  EXPECT_THAT(run.problems, IsEmpty());
  EXPECT_EQ(run.name, "name");
  EXPECT_EQ(run.state, RunState::interrupted);
  EXPECT_EQ(run.kind, "pretrain");
  EXPECT_EQ(run.step, 4);
  EXPECT_EQ(run.planned, 10);
  EXPECT_EQ(run.skipped, 2);
  EXPECT_EQ(run.seconds, 90);
  ASSERT_TRUE(run.best);
  EXPECT_EQ(run.best->metric, "loss");
  EXPECT_EQ(run.best->value, 0.5);
  EXPECT_EQ(run.best->step, 4);
  EXPECT_GT(run.bytes, fs::file_size(dir_ / "a/checkpoints/step-00000004/model.safetensors"));
  const auto now = std::chrono::system_clock::now();
  EXPECT_LT(now - run.changed, std::chrono::minutes(1));
  EXPECT_EQ(summarize_run(put("b", true)).kind, "distill");
  put_text(dir_ / "a/metrics.jsonl", "{\"step\": 7}\n");  // written after the checkpoint
  EXPECT_EQ(summarize_run(dir_ / "a").step, 7);
  put_text(dir_ / "a/metrics.jsonl", "{\"step\": 7, \"diverged\": \"x\"}\n");
  EXPECT_EQ(summarize_run(dir_ / "a").state, RunState::diverged);
  put_run(dir_ / "done", 10, 10);
  EXPECT_EQ(summarize_run(dir_ / "done").state, RunState::finished);
}

TEST_F(RunSummaries, OfARunInTrainingAreNoDisturbance) {
  const fs::path path = put("a");
  const RunDir open(path, identity_of(false), config::Node::make_map({}), false);
  std::vector<fs::path> before, after;
  for (const auto& entry : fs::recursive_directory_iterator(path)) before.push_back(entry.path());
  EXPECT_EQ(summarize_run(path).state, RunState::running);
  for (const auto& entry : fs::recursive_directory_iterator(path)) after.push_back(entry.path());
  EXPECT_THAT(after, testing::UnorderedElementsAreArray(before));
}

TEST_F(RunSummaries, BeforeTheFirstCheckpointTellWhatIsPlanned) {
  put_text(dir_ / "a/identity.json", identity_of(false).text());
  const RunSummary run = summarize_run(dir_ / "a");
  EXPECT_THAT(run.problems, IsEmpty());
  EXPECT_EQ(run.state, RunState::interrupted);
  EXPECT_EQ(run.planned, 10);
  EXPECT_FALSE(run.best);
}

TEST_F(RunSummaries, TellWhatIsWrong) {
  const fs::path a = put("a"), b = put("b"), c = put("c");
  const std::string model = "checkpoints/step-00000004/model.safetensors";
  std::string flipped = read_file(a / model);
  flipped.back() ^= 1;
  put_text(a / model, flipped);
  EXPECT_THAT(summarize_run(a).problems, IsEmpty());  // weights are not read
  put_text(a / model, "torn");
  EXPECT_THAT(summarize_run(a).problems,
              ElementsAre("step-00000004: model.safetensors: another size"));
  put_text(b / "identity.json", "{");
  RunSummary run = summarize_run(b);
  EXPECT_THAT(run.problems, ElementsAre(HasSubstr("is no identity")));
  EXPECT_EQ(run.step, 4);  // the rest is still told
  put_text(b / "checkpoints/step-00000004/state.json", "[]");
  EXPECT_EQ(summarize_run(b).problems.size(), 2U);
  put_text(c / "checkpoints/step-00000004/validation.json", "[]");
  EXPECT_FALSE(summarize_run(c).best);  // as if it had not been validated
  put_text(c / "last.json", R"({"checkpoint": "step-00000008"})");
  EXPECT_THAT(summarize_run(c).problems, ElementsAre("step-00000008: manifest.json: missing"));
  EXPECT_EQ(summarize_run(c).step, 4);
}

TEST_F(RunSummaries, AreSorted) {
  std::vector<RunSummary> runs(3);
  runs[0].name = "s10";
  runs[1].name = "s9";
  runs[2].name = "s1";
  runs[0].best = RunSummary::Best{"far/loss", 3, 1};
  runs[2].best = RunSummary::Best{"far/loss", 1, 1};
  runs[1].bytes = runs[0].bytes = 5;
  std::set<std::string> lower = {"loss"};
  const auto by = [&](const std::string& key) {
    auto sorted = runs;
    sort_runs(sorted, key, lower);
    return sorted[0].name + " " + sorted[1].name + " " + sorted[2].name;
  };
  EXPECT_EQ(by("name"), "s1 s9 s10");
  EXPECT_EQ(by("best"), "s1 s10 s9");
  lower.clear();
  EXPECT_EQ(by("best"), "s10 s1 s9");
  EXPECT_EQ(by("size"), "s10 s9 s1");
  EXPECT_EQ(by("time"), "s10 s9 s1");
  EXPECT_THAT(message_of<ConfigError>([&] { by("colour"); }), HasSubstr("'colour'"));
}

TEST(RunSummaryTexts, AreShort) {
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(5 << 20), "5.0 MiB");
  EXPECT_EQ(size_text(uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(time_text({}), "");
  EXPECT_EQ(time_text(std::chrono::system_clock::now()).size(),
            std::string("2026-11-26 12:05").size());
}

}  // namespace
}  // namespace limbeck::test
