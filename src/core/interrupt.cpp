#include "limbeck/core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

// A signal handler can reach nothing but a global; this is the project's only one.
volatile sig_atomic_t remembered_signal = 0;

void remember(int signal) {
  if (remembered_signal != 0) ::_exit(128 + signal);
  remembered_signal = signal;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int interrupt_signal() { return remembered_signal; }

void throw_if_interrupted() {
  if (remembered_signal != 0) throw Interrupted(remembered_signal);
}

}  // namespace limbeck
