#include "limbeck/core/processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

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
  const auto codes =
      run_commands({shell("echo one; exit 3"), shell("kill -9 $$"), shell("exit 0")}, 2, [] {});
  EXPECT_EQ(codes, (std::vector<int>{3, 128 + SIGKILL, 0}));
  EXPECT_EQ(said(), "one\n");
}

TEST_F(Processes, KeepExitCodesWhereOurCallerIgnoresChildren) {
  ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(run_commands({shell("exit 3")}, 1, [] {}), std::vector<int>{3});
}

TEST_F(Processes, SaveAndEndWhereAnotherCannotBeStarted) {
  const std::string missing = (dir_ / "no such program").string();
  const Command until_begun = shell("until [ -s '" + log_.string() + "' ]; do sleep 0.05; done");
  try {
    run_commands({saver("TERM"), until_begun, {{missing}, log_}}, 2, [] {});
    FAIL();
  } catch (const DataError& e) {
    EXPECT_EQ(std::string(e.what()), missing + ": cannot be started: No such file or directory");
  }
  EXPECT_EQ(said(), "begun\nsaved\n");
  EXPECT_FALSE(has_children());
}

TEST_F(Processes, SaveAndEndWhereWatchingThemThrows) {
  EXPECT_THROW(run_commands({saver("TERM")}, 1,
                            [&] {
                              if (said() == "begun\n") throw std::out_of_range("");
                            }),
               std::out_of_range);
  EXPECT_EQ(said(), "begun\nsaved\n");
  EXPECT_FALSE(has_children());
}

TEST_F(Processes, NeedALogThatCanBeWritten) {
  log_ = dir_ / "none" / "log";
  try {
    run_commands({shell("exit 0")}, 1, [] {});
    FAIL();
  } catch (const DataError& e) {
    EXPECT_EQ(std::string(e.what()),
              log_.string() + ": cannot be written: No such file or directory");
  }
}

TEST_F(Processes, GetAnInterruptOnceAndAreWaitedFor) {
  const pid_t us = ::fork();
  if (us == 0) {
    ::alarm(20);
    catch_interrupts();
    try {
      run_commands({saver("INT"), shell("echo never")}, 1, [&] {
        if (said() == "begun\n" && interrupt_signal() == 0) ::raise(SIGTERM);
      });
    } catch (const Interrupted& e) {
      ::_exit(e.exit_code());
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM);
  EXPECT_EQ(said(), "begun\nsaved\n");
}

TEST_F(Processes, SaveAndEndWhenWeAreKilled) {
  const pid_t us = ::fork();
  if (us == 0) {
    catch_interrupts();
    run_commands({saver("TERM")}, 1, [] {});
    ::_exit(0);
  }
  ASSERT_TRUE(says("begun\n"));
  ::kill(us, SIGKILL);
  ::waitpid(us, nullptr, 0);
  EXPECT_TRUE(says("begun\nsaved\n")) << said();
}

}  // namespace
}  // namespace limbeck
