// When checkpoints are saved, and what becomes of a training whose folder fails for a time.

#include <csignal>
#include <map>

#include "core/failing_folder.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/run/run_view.h"
#include "train/shared_dir.h"
#include "train/tiny_run.h"
#include "train/trainer.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Tones, before some of which something happens: calls are counted from 0.
class Eventful : public Tones {
 public:
  explicit Eventful(std::map<int64_t, std::function<void()>> events) : events_(std::move(events)) {}
  Example get(int64_t index, SeedKey key) const override {
    const auto event = events_.find(calls_++);
    if (event != events_.end()) event->second();
    return Tones::get(index, key);
  }

 private:
  std::map<int64_t, std::function<void()>> events_;
  mutable int64_t calls_ = 0;
};

TrainState train_with(const fs::path& path, const Dataset& dataset, int64_t steps,
                      const std::string& more) {
  return train(path, dataset, steps, 0, "", std::make_unique<Tones>(), more);
}

std::vector<std::string> checkpoints(const fs::path& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Saving, BetweenValidationsChangesNothingAndIsGoneOnFrom) {
  TempDir dir;
  train(dir / "whole", Tones(), 10);
  // Of the steps from 1 to 9 the one after which training dies: with and without a checkpoint
  // there, before and after a validation.
  for (const int64_t step : {3, 4, 6, 7, 9}) {
    SCOPED_TRACE(step);
    const fs::path run = dir / std::to_string(step);
    const Tones broken(call_of(step + 1), [](Example&) { throw DataError("gone"); });
    EXPECT_THROW(train_with(run, broken, 10, "save_every: 3, keep: {last: 3}"), DataError);
    const auto last = RunView(run).checkpoint("last")->filename();
    EXPECT_EQ(last, format("step-%08d", step == 7 ? 6 : step));
    train_with(run, Tones(), 10, "save_every: 3, keep: {last: 3}");
    expect_same_run(dir / "whole", run, 10);
    const auto kept = checkpoints(run);
    EXPECT_THAT(kept, testing::IsSupersetOf({"step-00000008", "step-00000009", "step-00000010"}));
  }
}

TEST(Saving, ByTheClockChangesNothing) {
  TempDir dir;
  train(dir / "whole", Tones(), 5);
  train_with(dir / "often", Tones(), 5, "save_every_minutes: 1e-9, keep: {last: 9}");
  EXPECT_EQ(checkpoints(dir / "often").size(), 5U);
  expect_same_run(dir / "whole", dir / "often", 5);
  train_with(dir / "seldom", Tones(), 5, "save_every_minutes: 60, keep: {last: 9}");
  EXPECT_THAT(checkpoints(dir / "seldom"), testing::ElementsAre("step-00000004", "step-00000005"));
}

TEST(Saving, BestOfSeveralAreTheBestByTheirValidation) {
  TempDir dir;
  train_with(dir / "run", Tones(), 24, "keep: {best: 3}");
  std::map<double, std::string> by_value;
  for (const auto& line : metrics(dir / "run")) {
    if (line["split"] == "valid") {
      by_value[line["si_sdr"]] = format("step-%08d", line["step"].get<int64_t>());
    }
  }
  std::set<std::string> expected = {"step-00000024"};
  auto best = by_value.rbegin();
  for (int i = 0; i < 3; ++i) expected.insert((best++)->second);
  EXPECT_THAT(checkpoints(dir / "run"), testing::ElementsAreArray(expected));
}

TEST(Saving, AFolderThatIsAwayForATimeLosesNothing) {
  TempDir dir;
  train(dir / "whole", Tones(), 12);
  for (const int64_t back : {call_of(7), call_of(11)}) {  // before the save of step 8, and after it
    const fs::path run = dir / std::to_string(back);
    const Eventful away({{call_of(6), [&] { fs::rename(run, dir / "away"); }},
                         {back, [&] { fs::rename(dir / "away", run); }}});
    testing::internal::CaptureStderr();
    train(run, away, 12);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, HasSubstr("metrics.jsonl: cannot be written"));
    EXPECT_EQ(said.find("the run is gone") != std::string::npos, back == call_of(11));
    expect_same_run(dir / "whole", run, 12);
  }
}

TEST(Saving, AFolderThatIsReadOnlyForATimeLosesNothing) {
  TempDir dir;
  train(dir / "whole", Tones(), 12);
  const fs::path run = dir / "run";
  fs::permissions(dir.path(), fs::perms(0755));
  std::optional<ReadOnly> read_only;
  const Eventful events(
      {{call_of(6), [&] { read_only.emplace(std::vector{run, run / "checkpoints"}); }},
       {call_of(11), [&] { read_only.reset(); }}});
  testing::internal::CaptureStderr();
  train(run, events, 12);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("Permission denied; step 8 is not saved"));
  expect_same_run(dir / "whole", run, 12);
}

TEST(Saving, ADiskThatIsFullForATimeLosesNothing) {
  TempDir dir;
  train(dir / "whole", Tones(), 12);
  const fs::path run = dir / "run";
  std::optional<FullDisk> full;
  const Eventful events(
      {{call_of(6), [&] { full.emplace(fs::file_size(run / "metrics.jsonl") + 30); }},
       {call_of(11), [&] { full.reset(); }}});
  testing::internal::CaptureStderr();
  train(run, events, 12);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("step 8 is not saved"));
  expect_same_run(dir / "whole", run, 12);
}

TEST(Saving, AFolderThatStaysAwayEndsTrainingWithItsStateElsewhere) {
  TempDir dir;
  train(dir / "whole", Tones(), 12);
  fs::create_directories(dir / "tmp");
  ::setenv("TMPDIR", (dir / "tmp").c_str(), 1);
  const fs::path run = dir / "run";
  const Eventful away({{call_of(3), [&] { fs::rename(run, dir / "away"); }}});
  testing::internal::CaptureStderr();
  const auto message =
      message_of<DataError>([&] { train_with(run, away, 12, "save_failures: 2"); });
  testing::internal::GetCapturedStderr();
  ::unsetenv("TMPDIR");
  EXPECT_THAT(message, HasSubstr("could not be written 2 times in a row"));
  EXPECT_FALSE(fs::exists(run));
  const fs::path saved = fs::directory_iterator(dir / "tmp")->path();
  EXPECT_THAT(message, HasSubstr(saved.string()));
  EXPECT_EQ(RunView(saved).checkpoint("last")->filename(), "step-00000008");
  fs::rename(dir / "away", run);
  fs::copy(saved / "checkpoints", run / "checkpoints", fs::copy_options::recursive);
  train(run, Tones(), 12);
  expect_same_run(dir / "whole", run, 12);
}

TEST(SavingDeathTest, ASignalAsksForACheckpointAndTrainingGoesOn) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const SharedDir dir;
  EXPECT_EXIT(
      {
        catch_interrupts();
        const Eventful asked({{call_of(2), [] { std::raise(SIGUSR1); }},
                              {call_of(4), [] { std::raise(SIGUSR1); }}});  // before a validation
        train_with(dir / "run", asked, 5, "keep: {last: 9}");
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_THAT(checkpoints(dir / "run"),
              testing::ElementsAre("step-00000002", "step-00000004", "step-00000005"));
  train(dir / "whole", Tones(), 5);
  expect_same_run(dir / "whole", dir / "run", 5);
}

TEST(SavingDeathTest, AnInterruptIsNotKeptWaitingByADiskThatHangs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const SharedDir dir;
  EXPECT_EXIT(
      {
        catch_interrupts();
        const auto wait_for = [](const auto& event) {
          for (int i = 0; i < 200 && !event(); ++i) ::usleep(100'000);
        };
        // In the thread that reads: it goes on once what was trained is saved.
        const auto hang = [&] {
          wait_for([&] { return RunView(dir / "run").progress() == 2; });
          std::raise(SIGTERM);
          wait_for([&] { return fs::exists(dir / "run/last.json"); });
        };
        const Eventful hanging({{call_of(3), hang}});
        try {
          train(dir / "run", hanging, 6, 1);
        } catch (const Interrupted& e) {
          std::_Exit(e.exit_code());
        }
      },
      testing::ExitedWithCode(143), "");
  EXPECT_EQ(RunView(dir / "run").checkpoint("last")->filename(), "step-00000002");
}

TEST(SavingDeathTest, AnInterruptWhileTheFolderIsAwaySaysWhereTheStateIs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const SharedDir dir;
  fs::create_directories(dir / "tmp");
  EXPECT_EXIT(
      {
        ::setenv("TMPDIR", (dir / "tmp").c_str(), 1);
        catch_interrupts();
        const Eventful events({{call_of(3), [&] { fs::rename(dir / "run", dir / "away"); }},
                               {call_of(6), [] { std::raise(SIGTERM); }}});
        try {
          train(dir / "run", events, 10);
        } catch (const DataError& e) {
          std::fprintf(stderr, "%s\n", e.what());
          std::_Exit(3);
        } catch (const Interrupted& e) {
          std::_Exit(e.exit_code());
        }
      },
      testing::ExitedWithCode(3), "training ends at step 6. It is not saved there, but in ");
  const fs::path saved = fs::directory_iterator(dir / "tmp")->path();
  EXPECT_EQ(RunView(saved).checkpoint("last")->filename(), "step-00000006");
  fs::rename(dir / "away", dir / "run");
  fs::copy(saved / "checkpoints", dir / "run/checkpoints", fs::copy_options::recursive);
  train(dir / "run", Tones(), 10);
  train(dir / "whole", Tones(), 10);
  expect_same_run(dir / "whole", dir / "run", 10);
}

}  // namespace
}  // namespace limbeck::test
