#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/log.h"

namespace limbeck {

/// Something that nothing needs any more.
struct Removable {
  std::filesystem::path path;
  std::string why;  ///< "neither best nor last"
  uint64_t bytes = 0;
  bool whole_run = false;
};

/// What could go of one run.
struct RunCleaning {
  std::vector<Removable> items;
  std::string kept;  ///< "all its checkpoints are kept, as …", where there is something to say
};

/// Checkpoints other than the best and the last one, where both are sound, and what processes that
/// are gone left half made; with `empty`, the folder of a run that never had a checkpoint and holds
/// no other run. Changes nothing. Throws DataError where the run cannot be read.
RunCleaning find_removable(const std::filesystem::path& run, bool empty);

/// Removes those of the items that are still removable, each at once: a process that is killed
/// here leaves no half checkpoint. Holds the lock of the run meanwhile. Returns the bytes that were
/// freed. Throws ConfigError where the run is in use, DataError, Interrupted between two items.
uint64_t clean_run(const std::filesystem::path& run, const std::vector<Removable>& items,
                   bool empty, Logger& logger);

}  // namespace limbeck
