#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

namespace limbeck::test {

/// How a process would end that was interrupted before `body`: 130 where that notices, else 0. A
/// child, because the remembered signal can never be forgotten.
template <class Body>
int exit_when_interrupted(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::alarm(60);
    catch_interrupts();
    ::raise(SIGINT);
    try {
      body();
    } catch (const Interrupted& e) {
      ::_exit(e.exit_code());
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace limbeck::test
