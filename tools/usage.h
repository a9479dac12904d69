#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace limbeck {

/// Lays out --help for what is as wide as the terminal, or as COLUMNS says; 80 characters where
/// neither is known. Examples stay as they are, to be copied.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// What --help-config prints, with descriptions that are as wide; keys stay on their lines.
std::string wrapped_config_help(const std::string& text);

/// Gives the help of each subcommand the lines of the tool's example that show it, and the options
/// that it shares with the others.
void complete_subcommand_help(CLI::App& app, const std::string& example);

/// What to say where the first of the files that `app` takes is none, and nearly the name of one of
/// its subcommands, or of one beside "run", which need not be named. "" if that is not so.
std::string mistaken_subcommand(const CLI::App& app);

/// What is wrong with a command line, what may have been meant, and which --help tells more.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error);

}  // namespace limbeck
