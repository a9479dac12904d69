#include "limbeck/core/processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

class Processes : public ::testing::Test {
 protected:
  /// A shell that says "begun", and once it gets the signal "saved"; it would take a minute.
  Command saver(const char* signal) const {
    const std::string script = std::string("trap 'echo saved; exit 7' ") + signal +
                               "; echo begun; for i in $(seq 600); do sleep 0.1; done";
    return shell(script);
  }
  Command shell(const std::string& script) const { return {{"/bin/sh", "-c", script}, log_}; }

  std::string said() const { return fs::exists(log_) ? read_file(log_) : ""; }
  /// Waits until that is all that was said; false after ten seconds.
  bool says(const std::string& text) const {
    for (int i = 0; i < 1000 && said() != text; ++i) ::usleep(10000);
    return said() == text;
  }
  static bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

  test::Scratch dir_;
  fs::path log_ = dir_ / "log";
};

TEST_F(Processes, ReturnEveryExitCodeAndLog) {
  ProcessPool pool;
  pool.start(7, shell("echo one; exit 3"));
  pool.start(8, shell("kill -9 $$"));
  pool.start(9, shell("exit 0"));
  std::map<size_t, int> codes;
  while (pool.size() > 0) {
    for (const auto& [id, code] : pool.take_ended()) codes[id] = code;
  }
  EXPECT_EQ(codes, (std::map<size_t, int>{{7, 3}, {8, 128 + SIGKILL}, {9, 0}}));
  EXPECT_EQ(said(), "one\n");
}

TEST_F(Processes, KeepExitCodesWhereOurCallerIgnoresChildren) {
  ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(run_command(shell("exit 3")), 3);
}

TEST_F(Processes, SaveAndEndWhereAnotherCannotBeStarted) {
  const std::string missing = (dir_ / "no such program").string();
  const auto start_both = [&] {
    ProcessPool pool;
    pool.start(0, saver("TERM"));
    EXPECT_TRUE(says("begun\n"));
    pool.start(1, {{missing}, log_});
  };
  try {
    start_both();
    FAIL();
  } catch (const DataError& e) {
    EXPECT_EQ(std::string(e.what()), missing + ": cannot be started: No such file or directory");
  }
  EXPECT_EQ(said(), "begun\nsaved\n");
  EXPECT_FALSE(has_children());
}

TEST_F(Processes, NeedALogThatCanBeWritten) {
  log_ = dir_ / "none" / "log";
  try {
    run_command(shell("exit 0"));
    FAIL();
  } catch (const DataError& e) {
    EXPECT_EQ(std::string(e.what()),
              log_.string() + ": cannot be written: No such file or directory");
  }
}

TEST_F(Processes, AreToldToStopOnce) {
  ProcessPool pool;
  pool.start(0, shell("trap 'echo heard' INT; echo begun; "
                      "for i in $(seq 600); do [ -e '" +
                      (dir_ / "go").string() + "' ] && exit 5; sleep 0.05; done"));
  ASSERT_TRUE(says("begun\n"));
  pool.stop(SIGINT);
  EXPECT_TRUE(says("begun\nheard\n"));
  pool.stop(SIGTERM);
  write_file_atomically(dir_ / "go", "");
  std::vector<ProcessPool::Ended> ended;
  while (ended.empty()) ended = pool.take_ended();
  EXPECT_EQ(ended.front().code, 5);
}

TEST_F(Processes, AreToldWhereAScriptsBackgroundIgnoresInterrupts) {
  const auto before = ::signal(SIGINT, SIG_IGN);
  ProcessPool pool;
  pool.start(0, shell("trap 'echo heard; exit 5' INT; echo begun; "
                      "for i in $(seq 200); do sleep 0.05; done"));
  ASSERT_TRUE(says("begun\n"));
  pool.stop(SIGINT);
  std::vector<ProcessPool::Ended> ended;
  while (ended.empty()) ended = pool.take_ended();
  ::signal(SIGINT, before);
  EXPECT_EQ(ended.front().code, 5);
}

TEST_F(Processes, GetAnInterruptOnceAndAreWaitedFor) {
  const pid_t us = ::fork();
  if (us == 0) {
    ::alarm(20);
    catch_interrupts();
    try {
      run_command(saver("INT"));
    } catch (const Interrupted& e) {
      ::_exit(e.exit_code());
    }
    ::_exit(0);
  }
  ASSERT_TRUE(says("begun\n"));
  ::kill(us, SIGTERM);
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM);
  EXPECT_EQ(said(), "begun\nsaved\n");
}

TEST_F(Processes, SaveAndEndWhenWeAreKilled) {
  const pid_t us = ::fork();
  if (us == 0) {
    catch_interrupts();
    run_command(saver("TERM"));
    ::_exit(0);
  }
  ASSERT_TRUE(says("begun\n"));
  ::kill(us, SIGKILL);
  ::waitpid(us, nullptr, 0);
  EXPECT_TRUE(says("begun\nsaved\n")) << said();
}

}  // namespace
}  // namespace limbeck
