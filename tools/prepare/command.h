#pragma once

// The subcommands of limbeck-prepare, one a file. To add one: a file tools/prepare/NAME.cpp with a
// function of the shape below, its declaration here, and its line in the table of
// tools/limbeck-prepare.cpp.

#include <cstdint>

#include "subcommand.h"

namespace limbeck {

/// What is said once for all subcommands.
struct SharedOptions {
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// `shared` outlives the command and is filled before `run`.
Subcommand recordings_command(CLI::App& parent, const SharedOptions& shared);
Subcommand pairs_command(CLI::App& parent, const SharedOptions& shared);
Subcommand mixtures_command(CLI::App& parent, const SharedOptions& shared);
Subcommand render_command(CLI::App& parent, const SharedOptions& shared);
Subcommand preview_command(CLI::App& parent, const SharedOptions& shared);
Subcommand protocol_command(CLI::App& parent, const SharedOptions& shared);
Subcommand synthetic_command(CLI::App& parent, const SharedOptions& shared);
Subcommand voicebank_demand_command(CLI::App& parent, const SharedOptions& shared);
Subcommand doctor_command(CLI::App& parent, const SharedOptions& shared);
Subcommand stats_command(CLI::App& parent, const SharedOptions& shared);

}  // namespace limbeck
