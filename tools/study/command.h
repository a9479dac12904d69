#pragma once

// The subcommands of limbeck-study, one a file. To add one: a file tools/study/NAME.cpp with a
// function of the shape below, its declaration here, and its line in the table of
// tools/limbeck-study.cpp.

#include <filesystem>
#include <functional>
#include <string>

#include "subcommand.h"

namespace limbeck {

Subcommand run_command(CLI::App& parent);
Subcommand node_command(CLI::App& parent);
Subcommand status_command(CLI::App& parent);
Subcommand report_command(CLI::App& parent);
Subcommand retry_command(CLI::App& parent);
Subcommand cancel_command(CLI::App& parent);
Subcommand logs_command(CLI::App& parent);

/// The positional DIR of a study; `dir` outlives the app.
void add_study_dir(CLI::App& app, std::filesystem::path& dir);

/// This program, which runs the nodes of a study.
std::filesystem::path this_program();

/// Asks on standard error and reads an answer; empty where nobody sits at a terminal.
std::function<bool(const std::string&)> asker();

}  // namespace limbeck
