#pragma once

// The subcommands of limbeck-prepare, one a file. To add one: a file tools/prepare/NAME.cpp with a
// function of the shape below, its declaration here, its line in the table of
// tools/limbeck-prepare.cpp, and its name in CMakeLists.txt.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>

#include "limbeck/core/log.h"

namespace limbeck {

/// What is said once for all subcommands.
struct SharedOptions {
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// A subcommand as CLI11 knows it, and what it does once it is chosen: `run` returns the exit code
/// and owns the options that `app` fills.
struct Command {
  CLI::App* app;
  std::function<int(Logger&)> run;
};

/// `shared` outlives the command and is filled before `run`.
Command recordings_command(CLI::App& parent, const SharedOptions& shared);
Command pairs_command(CLI::App& parent, const SharedOptions& shared);
Command mixtures_command(CLI::App& parent, const SharedOptions& shared);
Command render_command(CLI::App& parent, const SharedOptions& shared);
Command preview_command(CLI::App& parent, const SharedOptions& shared);
Command protocol_command(CLI::App& parent, const SharedOptions& shared);
Command synthetic_command(CLI::App& parent, const SharedOptions& shared);
Command voicebank_demand_command(CLI::App& parent, const SharedOptions& shared);
Command doctor_command(CLI::App& parent, const SharedOptions& shared);
Command stats_command(CLI::App& parent, const SharedOptions& shared);

}  // namespace limbeck
