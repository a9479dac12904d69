#include "limbeck/core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

// A signal handler can reach nothing but a global; this is the project's only one.
std::atomic<int> remembered_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void remember(int signal) {
  int none = 0;
  if (remembered_signal.compare_exchange_strong(none, signal)) return;
  // A terminal that closes says so more than once: through its shell, and by itself.
  if (signal != SIGHUP) ::_exit(128 + signal);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  struct sigaction before{};
  ::sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

int interrupt_signal() { return remembered_signal; }

void throw_if_interrupted() {
  if (const int signal = interrupt_signal()) throw Interrupted(signal);
}

}  // namespace limbeck
