#include "study/scheduler.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Shell commands, and what was told of them.
class Shell : public TaskWork {
 public:
  explicit Shell(std::vector<std::string> scripts) : scripts_(std::move(scripts)) {}

  bool is_done(size_t task) override {
    asked.push_back(task);
    if (refused.contains(task)) throw DataError("no good");
    return done_before.contains(task);
  }
  Command command(size_t task, const std::string& device) override {
    devices[task] = device;
    return {{"/bin/sh", "-c", "cd '" + (dir / "").string() + "'; " + scripts_[task]},
            dir / (logless.contains(task) ? "nowhere/log" : "log")};
  }
  void changed(size_t task, const TaskStatus& status) override {
    if (status.state == TaskState::running) {
      begun.push_back(task);
      running.insert(task);
      most = std::max(most, running.size());
      if (running.contains(0) && running.size() > 1) beside_first = true;
    } else {
      running.erase(task);
    }
    if (on_change) on_change(task, status);
  }

  std::string log() const { return read_file(dir / "log"); }
  std::vector<TaskState> states(const std::vector<Task>& tasks, const Machine& machine,
                                bool fail_fast = false) {
    result = run_tasks(tasks, machine, *this, fail_fast);
    std::vector<TaskState> states;
    for (const TaskStatus& status : result) states.push_back(status.state);
    return states;
  }

  test::Scratch dir;
  std::set<size_t> done_before, refused, logless, running;
  std::vector<size_t> asked, begun;
  std::map<size_t, std::string> devices;
  size_t most = 0;
  bool beside_first = false;
  std::function<void(size_t, const TaskStatus&)> on_change;
  std::vector<TaskStatus> result;

 private:
  std::vector<std::string> scripts_;
};

using States = std::vector<TaskState>;
constexpr TaskState kWaiting = TaskState::waiting, kDone = TaskState::done,
                    kFailed = TaskState::failed, kNotRun = TaskState::not_run;

TEST(Scheduler, BeginsWhatIsReadyInOrderAndNothingBeforeItsNeeds) {
  Shell shell({"sleep 0.2; echo a", "echo b", "sleep 0.1; echo c", "echo d"});
  EXPECT_EQ(shell.states({{}, {{0}}, {}, {{1, 2}}}, {.cores = 2}), States(4, kDone));
  EXPECT_EQ(shell.begun, (std::vector<size_t>{0, 2, 1, 3}));
  EXPECT_EQ(shell.log(), "c\na\nb\nd\n");
}

TEST(Scheduler, GivesEveryTaskItsCores) {
  Shell shell({"sleep 0.1", "sleep 0.1", "sleep 0.1", "sleep 0.1"});
  const std::vector<Task> tasks = {{.cores = 99}, {}, {}, {}};
  EXPECT_EQ(shell.states(tasks, {.cores = 3}), States(4, kDone));
  EXPECT_FALSE(shell.beside_first);  // it takes all
  EXPECT_EQ(shell.most, 3U);
}

TEST(Scheduler, LetsNoSmallTaskPassALargeOne) {
  Shell shell({"sleep 0.1", "true", "true"});
  EXPECT_EQ(shell.states({{}, {.cores = 2}, {}}, {.cores = 2}), States(3, kDone));
  EXPECT_EQ(shell.begun, (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(shell.most, 1U);
}

TEST(Scheduler, GivesEveryTaskADeviceOfItsOwn) {
  Shell shell({"sleep 0.2", "sleep 0.1", "sleep 0.1", "sleep 0.1"});
  const std::vector<Task> tasks = {
      {.cores = 9, .on_device = true}, {.on_device = true}, {.on_device = true}, {}};
  EXPECT_EQ(shell.states(tasks, {.cores = 1, .devices = {"cuda:0", "cuda:1"}}), States(4, kDone));
  EXPECT_EQ(shell.devices[0], "cuda:0");
  EXPECT_EQ(shell.devices[1], "cuda:1");
  EXPECT_EQ(shell.devices[2], "cuda:1");  // the first to be free again
  EXPECT_EQ(shell.devices[3], "");
}

TEST(Scheduler, RunsWhatDiedOnceMore) {
  Shell shell({"[ -e met ] || { touch met; kill -9 $$; }; echo done", "kill -9 $$", "exit 1"});
  EXPECT_EQ(shell.states({{}, {}, {}}, {}), (States{kDone, kFailed, kFailed}));
  EXPECT_EQ(shell.begun, (std::vector<size_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(shell.log(), "done\n");
  EXPECT_EQ(shell.result[1].code, 128 + SIGKILL);
  EXPECT_EQ(shell.result[1].attempts, 2);
}

TEST(Scheduler, NeverRepeatsWhatIsTheFaultOfItsInput) {
  Shell shell({"exit 2", "exit 3", "exit 4", "exit 5"});
  EXPECT_EQ(shell.states({{}, {}, {}, {}}, {}), States(4, kFailed));
  EXPECT_EQ(shell.begun, (std::vector<size_t>{0, 1, 2, 3}));
}

TEST(Scheduler, RunsAllThatNeedsNothingOfWhatFailed) {
  Shell shell({"exit 3", "echo never", "echo never", "echo other"});
  EXPECT_EQ(shell.states({{}, {{0}}, {{1}}, {}}, {}), (States{kFailed, kNotRun, kNotRun, kDone}));
  EXPECT_EQ(shell.log(), "other\n");
  EXPECT_EQ(shell.result[1].cause, 0U);
  EXPECT_EQ(shell.result[2].cause, 1U);
}

TEST(Scheduler, RunsNothingThatIsDoneWhateverBecameOfItsNeeds) {
  Shell shell({"exit 3", "echo never", "echo after"});
  shell.done_before = {1};
  EXPECT_EQ(shell.states({{}, {{0}}, {{1}}}, {}), (States{kFailed, kDone, kDone}));
  EXPECT_EQ(shell.log(), "after\n");
  EXPECT_EQ(shell.asked, (std::vector<size_t>{0, 1, 2}));
}

TEST(Scheduler, TakesAnErrorOfOneTaskForItsFailure) {
  Shell shell({"echo never", "echo never", "echo other"});
  shell.refused = {0};
  EXPECT_EQ(shell.states({{}, {{0}}, {}}, {}), (States{kFailed, kNotRun, kDone}));
  EXPECT_EQ(shell.result[0].error, "no good");
  EXPECT_EQ(shell.log(), "other\n");
}

TEST(Scheduler, TakesACommandThatCannotBeStartedForItsFailure) {
  Shell shell({"echo never", "echo never", "echo other"});
  shell.logless = {0};
  EXPECT_EQ(shell.states({{}, {{0}}, {}}, {}), (States{kFailed, kNotRun, kDone}));
  EXPECT_NE(shell.result[0].error.find("cannot be written"), std::string::npos);
  EXPECT_EQ(shell.begun, (std::vector<size_t>{2}));
  EXPECT_EQ(shell.log(), "other\n");
}

TEST(Scheduler, StopsAllAtTheFirstFailureWhereItIsAskedTo) {
  Shell shell({"trap 'echo saved; exit 130' INT; touch ready; while :; do sleep 0.02; done",
               "until [ -e ready ]; do sleep 0.02; done; exit 3", "echo never"});
  EXPECT_EQ(shell.states({{}, {}, {}}, {.cores = 2}, true), (States{kWaiting, kFailed, kWaiting}));
  EXPECT_EQ(shell.log(), "saved\n");
}

TEST(Scheduler, PassesAnInterruptOnAndWaits) {
  Shell shell(
      {"trap 'echo saved; exit 130' INT; echo begun; while :; do sleep 0.02; done", "echo never"});
  const fs::path log = shell.dir / "log";
  const pid_t us = ::fork();
  if (us == 0) {
    ::alarm(20);
    catch_interrupts();
    bool was_told = false;
    shell.on_change = [&](size_t task, const TaskStatus& status) {
      was_told = was_told || (task == 0 && status.state == kWaiting);
    };
    try {
      shell.states({{}, {}}, {});
    } catch (const Interrupted& e) {
      ::_exit(was_told ? e.exit_code() : 99);
    }
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && !(fs::exists(log) && shell.log() == "begun\n"); ++i) ::usleep(10000);
  ::kill(us, SIGINT);
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGINT);
  EXPECT_EQ(shell.log(), "begun\nsaved\n");
}

}  // namespace
}  // namespace limbeck
