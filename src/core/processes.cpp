#include "limbeck/core/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

extern char** environ;

namespace limbeck {
namespace {

/// Closed with its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

[[noreturn]] void throw_not_started(const Command& command, int reason) {
  throw DataError(command.arguments[0] + ": cannot be started: " + std::strerror(reason));
}

/// The forked child, until it is another program; no more than what is safe there. Its process
/// group is its own: Ctrl-C reaches only us, and the child gets exactly one signal from us.
[[noreturn]] void become(char* const* arguments, int input, int log, int report, pid_t parent) {
  // A handler of ours would keep a signal from the program to come, which never asks it. So would
  // a script's &, which has SIGINT ignored, and that is what we stop it with; nohup is obeyed.
  for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
  struct sigaction hangup{};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::signal(SIGHUP, SIG_DFL);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(128 + SIGTERM);  // it died before this could be asked for
  ::dup2(input, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve(arguments[0], arguments, environ);
  const int reason = errno;
  const ssize_t reported = ::write(report, &reason, sizeof(reason));
  ::_exit(reported == sizeof(reason) ? 127 : 126);
}

/// Returns once the child is the other program, so that a signal to it means that program. It gets
/// SIGTERM when the thread that starts it ends, be it by kill -9 of the process.
pid_t begin(const Command& command) {
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor log(
      ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) {
    throw DataError(command.log.string() + ": cannot be written: " + std::strerror(errno));
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_not_started(command, errno);
  const Descriptor heard(ends[0]);  // closed by exec, or told why there was none
  Descriptor report(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), input.get(), log.get(), report.get(), self);
  if (child < 0) throw_not_started(command, errno);
  report.close();
  int reason = 0;
  if (::read(heard.get(), &reason, sizeof(reason)) == sizeof(reason)) {
    ::waitpid(child, nullptr, 0);
    throw_not_started(command, reason);
  }
  return child;
}

}  // namespace

// Where children are ignored, nobody keeps their exit codes.
ProcessPool::ProcessPool() { ::signal(SIGCHLD, SIG_DFL); }

ProcessPool::~ProcessPool() {
  stop(SIGTERM);
  for (const auto& [child, id] : running_) ::waitpid(child, nullptr, 0);
}

void ProcessPool::start(size_t id, const Command& command) { running_[begin(command)] = id; }

void ProcessPool::stop(int signal) {
  if (stopped_) return;
  for (const auto& [child, id] : running_) ::kill(child, signal);
  stopped_ = true;
}

std::vector<ProcessPool::Ended> ProcessPool::take_ended() {
  std::vector<Ended> ended;
  for (auto child = running_.begin(); child != running_.end();) {
    int status = 0;
    if (::waitpid(child->first, &status, WNOHANG) == child->first) {
      ended.push_back(
          {child->second, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)});
      child = running_.erase(child);
    } else {
      ++child;
    }
  }
  return ended;
}

int run_command(const Command& command) {
  ProcessPool pool;
  pool.start(0, command);
  for (;;) {
    if (interrupt_signal()) pool.stop(SIGINT);
    const auto ended = pool.take_ended();
    if (!ended.empty()) {
      throw_if_interrupted();
      return ended.front().code;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace limbeck
