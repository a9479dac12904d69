#include "limbeck/core/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

/// The exit code of a child that runs `body`, or −signal if one killed it. A child, because the
/// remembered signal can never be forgotten.
template <class Body>
int exit_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    // Whoever runs the tests may ignore some, as nohup and background jobs do.
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
    ::alarm(20);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Interrupt, NothingIsRememberedAtFirst) {
  EXPECT_EQ(interrupt_signal(), 0);
  EXPECT_NO_THROW(throw_if_interrupted());
}

TEST(Interrupt, UncaughtSignalsStillKill) {
  EXPECT_EQ(exit_of([] {
              ::raise(SIGINT);
              return 0;
            }),
            -SIGINT);
}

TEST(Interrupt, FirstOneIsRememberedAndThrownWhenAsked) {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    EXPECT_EQ(exit_of([signal] {
                catch_interrupts();
                ::raise(signal);
                if (interrupt_signal() != signal) return 1;
                try {
                  throw_if_interrupted();
                } catch (const Interrupted& e) {
                  return e.exit_code();
                }
                return 2;
              }),
              128 + signal);
  }
}

TEST(Interrupt, SecondOneEndsTheProcess) {
  EXPECT_EQ(exit_of([] {
              catch_interrupts();
              ::raise(SIGINT);
              ::raise(SIGINT);
              return 0;
            }),
            130);
  EXPECT_EQ(exit_of([] {
              catch_interrupts();
              ::raise(SIGINT);
              ::raise(SIGTERM);
              return 0;
            }),
            143);
}

TEST(Interrupt, TerminalsMayHangUpTwice) {
  EXPECT_EQ(exit_of([] {
              catch_interrupts();
              ::raise(SIGHUP);
              ::raise(SIGHUP);
              return interrupt_signal();
            }),
            SIGHUP);
  EXPECT_EQ(exit_of([] {
              catch_interrupts();
              ::raise(SIGHUP);
              ::raise(SIGTERM);
              return 0;
            }),
            143);
}

TEST(Interrupt, ARequestToSaveIsAnsweredOnceAndEndsNothing) {
  EXPECT_EQ(exit_of([] {
              catch_interrupts();
              if (take_save_request()) return 1;
              ::raise(SIGUSR1);
              ::raise(SIGUSR1);
              if (!take_save_request()) return 2;
              if (take_save_request()) return 3;
              return interrupt_signal();
            }),
            0);
}

TEST(Interrupt, NohupHolds) {
  EXPECT_EQ(exit_of([] {
              ::signal(SIGHUP, SIG_IGN);
              catch_interrupts();
              ::raise(SIGHUP);
              return interrupt_signal();
            }),
            0);
}

TEST(Interrupt, ArrivesFromOutsideWithoutBreakingARead) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  EXPECT_EQ(exit_of([&] {
              catch_interrupts();
              const pid_t self = ::getpid();
              if (::fork() == 0) {  // interrupts the read below, then lets it finish
                ::usleep(50000);
                ::kill(self, SIGINT);
                ::usleep(50000);
                ::_exit(::write(pipe_ends[1], "x", 1) == 1 ? 0 : 1);
              }
              char byte = 0;
              if (::read(pipe_ends[0], &byte, 1) != 1) return 1;
              return interrupt_signal() == SIGINT ? 0 : 2;
            }),
            0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

}  // namespace
}  // namespace limbeck
