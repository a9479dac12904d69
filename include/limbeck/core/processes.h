#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace limbeck {

/// A program to run, with its output appended to a log.
struct Command {
  std::vector<std::string> arguments;  ///< the first is the program
  std::filesystem::path log;
};

/// Runs all commands, at most `jobs` at a time, and returns their exit codes (128 + signal for a
/// killed one). `poll` is called a few times a second. After an interrupt no more are started, the
/// running ones get SIGINT once and are waited for, then Interrupted is thrown.
///
/// No command outlives the call: when it throws, because `poll` did or one cannot be started
/// (DataError), the running ones have got SIGTERM and were waited for; when the process or the
/// calling thread is killed, they get SIGTERM from the kernel.
std::vector<int> run_commands(const std::vector<Command>& commands, size_t jobs,
                              const std::function<void()>& poll);

}  // namespace limbeck
