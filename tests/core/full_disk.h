#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <string>

namespace limbeck::test {

/// The message of what `body` throws, or "", in a child process whose files may grow to `bytes`: a
/// disk that is full after as many, but for the reason, "File too large".
template <class Body>
std::string message_on_full_disk(rlim_t bytes, Body body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    std::string message = ::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? "" : "no limit";
    try {
      body();
    } catch (const std::exception& e) {
      message += e.what();
    }
    ::_exit(::write(ends[1], message.data(), message.size()) < 0);
  }
  ::close(ends[1]);
  std::string message;
  char byte = 0;
  while (::read(ends[0], &byte, 1) == 1) message += byte;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? message : "the child ended with " + std::to_string(status);
}

}  // namespace limbeck::test
