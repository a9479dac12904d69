#include "limbeck/core/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <thread>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

extern char** environ;

namespace limbeck {
namespace {

/// In a process group of its own: Ctrl-C reaches only us, and the child gets exactly one signal
/// from us.
pid_t start(const Command& command) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, command.log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed)
    throw DataError(command.arguments[0] + ": cannot be started: " + std::strerror(failed));
  return child;
}

}  // namespace

std::vector<int> run_commands(const std::vector<Command>& commands, size_t jobs,
                              const std::function<void()>& poll) {
  std::vector<int> codes(commands.size(), -1);
  std::map<pid_t, size_t> running;
  size_t next = 0;
  bool signalled = false;
  while (next < commands.size() || !running.empty()) {
    if (interrupt_signal() && !signalled) {
      for (const auto& [child, index] : running) ::kill(child, SIGINT);
      signalled = true;
    }
    if (signalled && running.empty()) break;
    while (!signalled && running.size() < jobs && next < commands.size()) {
      running[start(commands[next])] = next;
      ++next;
    }
    int status = 0;
    for (auto child = running.begin(); child != running.end();) {
      if (::waitpid(child->first, &status, WNOHANG) == child->first) {
        codes[child->second] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        child = running.erase(child);
      } else {
        ++child;
      }
    }
    poll();
    if (!running.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw_if_interrupted();
  return codes;
}

}  // namespace limbeck
