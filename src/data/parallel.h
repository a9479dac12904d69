#pragma once

#include <cstdint>
#include <functional>

#include "limbeck/core/progress.h"

namespace limbeck {

/// Calls `body(i)` for every i in [0, count) from `threads` threads (0: as many as there are cores)
/// and shows progress. The first exception ends the work and is thrown here; so is Interrupted.
void parallel_for(int64_t count, int64_t threads, Progress& progress,
                  const std::function<void(int64_t)>& body);

}  // namespace limbeck
