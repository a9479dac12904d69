#pragma once

// The subcommands of limbeck-runs, one a file. To add one: a file tools/runs/NAME.cpp with a
// function of the shape below, its declaration here, and its line in the table of
// tools/limbeck-runs.cpp.

#include "subcommand.h"

namespace limbeck {

Subcommand list_command(CLI::App& parent);
Subcommand show_command(CLI::App& parent);
Subcommand diff_command(CLI::App& parent);
Subcommand plot_command(CLI::App& parent);
Subcommand clean_command(CLI::App& parent);

}  // namespace limbeck
