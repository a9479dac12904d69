#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace limbeck {

/// Gives the help of each subcommand the lines of the tool's example that show it, and the options
/// that it shares with the others.
void complete_subcommand_help(CLI::App& app, const std::string& example);

/// What is wrong with a command line, what may have been meant, and which --help tells more.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error);

}  // namespace limbeck
