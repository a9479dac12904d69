#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "limbeck/core/progress.h"

namespace limbeck {

/// Calls `body(i)` for every i in [0, count) from `threads` threads (0: as many as there are cores)
/// and shows progress: the calls that are done, or `counter` where `body` counts something else.
/// The first exception ends the work and is thrown here; so is Interrupted.
void parallel_for(int64_t count, int64_t threads, Progress& progress,
                  const std::function<void(int64_t)>& body,
                  const std::atomic<int64_t>* counter = nullptr);

/// Threads that do work, in the order in which it is given, while whoever gives it goes on.
class WorkQueue {
 public:
  /// `threads`: 0: as many as there are cores. With `yields`, they leave the cores to all others.
  /// `most_weight`: of what is waiting or in work.
  WorkQueue(int64_t threads, bool yields, int64_t most_weight);
  /// Drops what is not begun, and waits for the rest.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Waits until there is room; a job may be heavier than all of it.
  void add(int64_t weight, std::function<void()> job);
  /// True once all is done, false if that takes longer. Throws the first exception of a job, after
  /// which no further one is begun.
  bool wait_for(std::chrono::milliseconds time);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace limbeck
