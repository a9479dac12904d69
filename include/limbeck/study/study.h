#pragma once

#include <filesystem>

#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/study/config.h"

namespace limbeck {

/// Trains what is not trained yet, each run in a process of its own (`tools` is the folder of the
/// executables), scores everything, writes results.csv, table.md and failures.csv, prints the
/// table. A failed run is reported and the rest continue; then the result is some_failed. Throws
/// Interrupted once the running trainings have saved.
ExitCode run_study(const StudyConfig& config, const std::filesystem::path& tools, bool check_only,
                   Logger& logger);

}  // namespace limbeck
