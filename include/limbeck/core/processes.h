#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace limbeck {

/// A program to run, with its output appended to a log.
struct Command {
  std::vector<std::string> arguments;  ///< the first is the program
  std::filesystem::path log;
};

/// Programs that run side by side. None outlives the pool: when it goes, those that still run get
/// SIGTERM and are waited for; when the process or the thread that started them is killed, they get
/// SIGTERM from the kernel. An interrupt reaches only us: whoever owns the pool passes it on.
class ProcessPool {
 public:
  ProcessPool();
  ~ProcessPool();
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  /// Starts a program, `id` is the caller's name for it. Throws DataError if it cannot be.
  void start(size_t id, const Command& command);
  size_t size() const { return running_.size(); }

  /// Signals all that run, the first time it is called: a second signal would end them without
  /// saving.
  void stop(int signal);
  bool stopped() const { return stopped_; }

  struct Ended {
    size_t id;
    int code;  ///< exit code; 128 + signal for a killed one
  };
  /// Those that have ended since this was asked before; returns at once.
  std::vector<Ended> take_ended();

 private:
  std::map<int, size_t> running_;  ///< by process
  bool stopped_ = false;
};

/// Runs one program in such a pool and returns its exit code. After an interrupt it gets SIGINT and
/// is waited for, then Interrupted is thrown.
int run_command(const Command& command);

}  // namespace limbeck
