#include "usage.h"

#include <sstream>
#include <vector>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// The lines of the example that begin with "TOOL SUBCOMMAND".
std::string example_of(const CLI::App& subcommand, const std::string& example) {
  const std::string front = subcommand.get_parent()->get_name() + " " + subcommand.get_name();
  std::string lines;
  std::istringstream all(example);
  for (std::string line; std::getline(all, line);) {
    line.erase(0, line.find_first_not_of(' '));
    if (line == front || line.starts_with(front + " ")) lines += "\n  " + line;
  }
  return lines.empty() ? "" : "Example:" + lines;
}

bool is_about_tool(const CLI::Option& option) {
  return option.check_lname("help") || option.check_lname("version");
}

/// The tool's options as its own help lists them.
std::string shared_options(const CLI::App& app) {
  std::string text = "Common options:";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || is_about_tool(*option)) continue;
    const std::string name = "  " + option->get_name(false, true);
    constexpr size_t kColumn = 30;
    const size_t gap = name.size() + 2 < kColumn ? kColumn - name.size() : 2;
    text += "\n" + name + std::string(gap, ' ') + option->get_description();
  }
  return text;
}

/// The innermost subcommand that the command line has named.
const CLI::App* chosen(const CLI::App* app) {
  const auto parsed = app->get_subcommands();
  return parsed.empty() ? app : chosen(parsed.front());
}

std::string command_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : command_of(*parent) + " " + app.get_name();
}

/// All that may stand where `word` does.
std::vector<std::string> known_beside(const std::string& word, const CLI::App& app) {
  std::vector<std::string> known;
  if (word.starts_with('-')) {
    for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
      for (const CLI::Option* option : level->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
    }
  }
  return known;
}

}  // namespace

void complete_subcommand_help(CLI::App& app, const std::string& example) {
  const std::string shared = shared_options(app);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    std::string footer = example_of(*command, example);
    if (command->get_fallthrough()) footer += (footer.empty() ? "" : "\n\n") + shared;
    command->footer(footer);
  }
}

std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = *chosen(&app);
  std::string text = error.what();
  for (const std::string& argument : app.remaining(true)) {
    const std::string word = argument.substr(0, argument.find('='));
    const bool is_option = word.starts_with('-');
    if (!is_option && command.get_subcommands([](const CLI::App*) { return true; }).empty()) break;
    text = "'" + word + "' is no " + (is_option ? "option" : "subcommand") + " here";
    const std::string meant = nearest(word, known_beside(word, command));
    if (!meant.empty()) text += "; did you mean '" + meant + "'?";
    break;
  }
  return text + "\nSee " + command_of(command) + " --help";
}

}  // namespace limbeck
