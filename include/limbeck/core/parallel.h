#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "limbeck/core/progress.h"

namespace limbeck {

/// Calls `body(i)` for every i in [0, count) from `threads` threads (0: as many as there are cores)
/// and shows progress: the calls that are done, or `counter` where `body` counts something else.
/// The first exception ends the work and is thrown here; so is Interrupted.
void parallel_for(int64_t count, int64_t threads, Progress& progress,
                  const std::function<void(int64_t)>& body,
                  const std::atomic<int64_t>* counter = nullptr);

}  // namespace limbeck
