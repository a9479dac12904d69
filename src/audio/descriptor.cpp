#include "audio/descriptor.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

/// Waits until a call would not block. A signal may come to another thread, or before the waiting
/// begins, so it is asked for now and then.
void wait_for(int descriptor, short event) {
  constexpr int kMilliseconds = 100;
  pollfd waited{descriptor, event, 0};
  do {
    throw_if_interrupted();
  } while (::poll(&waited, 1, kMilliseconds) <= 0);
}

bool comes_again(int reason) {
  return reason == EINTR || reason == EAGAIN || reason == EWOULDBLOCK;
}

/// Holds back the SIGPIPE that a write of this thread may cause, and takes it away.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once{};
    while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_;
};

}  // namespace

size_t read_some(int descriptor, const std::string& name, char* to, size_t count) {
  for (;;) {
    wait_for(descriptor, POLLIN);
    const ssize_t got = ::read(descriptor, to, count);
    if (got >= 0) return static_cast<size_t>(got);
    if (!comes_again(errno)) {
      throw DataError(name + ": cannot be read: " + std::strerror(errno));
    }
  }
}

void write_all(int descriptor, const std::string& name, std::string_view bytes) {
  constexpr size_t kNeverBlocks = 4096;  // PIPE_BUF: where a pipe has room, it is for so many
  const WithoutSigpipe guard;
  while (!bytes.empty()) {
    wait_for(descriptor, POLLOUT);
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kNeverBlocks));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (!comes_again(errno)) {
      throw DataError(name + ": cannot be written: " + std::strerror(errno));
    }
  }
}

}  // namespace limbeck
