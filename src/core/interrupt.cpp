#include "limbeck/core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

// A signal handler can reach nothing but globals; these are the project's only ones.
std::atomic<int> remembered_signal{0};
std::atomic<bool> is_save_requested{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void remember(int signal) {
  int none = 0;
  if (remembered_signal.compare_exchange_strong(none, signal)) return;
  // A terminal that closes says so more than once: through its shell, and by itself.
  if (signal != SIGHUP) ::_exit(128 + signal);
}

void request_save(int) { is_save_requested = true; }

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
  action.sa_handler = request_save;
  ::sigaction(SIGUSR1, &action, nullptr);
}

int interrupt_signal() { return remembered_signal; }

bool take_save_request() { return is_save_requested.exchange(false); }

void throw_if_interrupted() {
  if (const int signal = interrupt_signal()) throw Interrupted(signal);
}

}  // namespace limbeck
