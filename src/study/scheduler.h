#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/core/processes.h"

namespace limbeck {

/// A node of a graph of commands.
struct Task {
  std::vector<size_t> needs = {};  ///< tasks before this one
  int64_t cores = 1;               ///< more than the machine has: all
  bool on_device = false;          ///< takes a device in their place, where the machine has any
};

/// What tasks share.
struct Machine {
  int64_t cores = 1;
  std::vector<std::string> devices = {};  ///< one task at a time for each entry
};

enum class TaskState {
  waiting,
  running,
  done,
  failed,
  not_run,  ///< something that it needs failed
};

struct TaskStatus {
  TaskState state = TaskState::waiting;
  int attempts = 0;
  int code = 0;            ///< of the last attempt that ended
  std::string error = {};  ///< why it failed before it was begun
  size_t cause = 0;        ///< not run: what it needs and what failed
};

enum class Verdict { done, again, failed };

/// A program that died, be it by a signal or by an error of its own that no user caused, is run
/// once more; what it says of its input (exit codes 2, 3, …) would be the same again.
Verdict judge_exit(int code, int attempts);

/// What the tasks of a graph are. What is_done and command throw as an Error is a failure of that
/// task alone, and so is a command that cannot be started.
class TaskWork {
 public:
  virtual ~TaskWork() = default;
  /// Asked once, when all that the task needs has ended, failed or not: nothing is left to do.
  virtual bool is_done(size_t task) = 0;
  /// The task begins now, on this device ("" where it takes none).
  virtual Command command(size_t task, const std::string& device) = 0;
  virtual Verdict judge(size_t, int code, int attempts) { return judge_exit(code, attempts); }
  /// Told whenever a task's state is another one, the moment it is; `waiting` after `running`: its
  /// command died, or was interrupted.
  virtual void changed(size_t task, const TaskStatus& status) = 0;
  /// Called many times a second.
  virtual void poll() {}
};

/// Runs a graph of commands and returns how its tasks ended. Of those that are ready the first in
/// the order given is begun first; where it does not fit beside what runs, later ones wait with it,
/// so that small tasks never starve a large one. A failure stops what needs it and nothing else;
/// with `fail_fast` it stops all: what runs is interrupted, the others stay waiting.
///
/// After an interrupt all that run get SIGINT once and are waited for, then Interrupted is thrown.
/// As for commands that outlive the call, see ProcessPool.
std::vector<TaskStatus> run_tasks(const std::vector<Task>& tasks, const Machine& machine,
                                  TaskWork& work, bool fail_fast = false);

}  // namespace limbeck
