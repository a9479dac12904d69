#include "usage.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <vector>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// Where what an option does begins.
constexpr size_t kColumn = 30;

size_t help_width() {
  const char* columns = std::getenv("COLUMNS");
  const std::string_view said = columns == nullptr ? "" : columns;
  size_t width = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), width);
  if (said.empty() || error != std::errc() || end != said.data() + said.size()) {
    winsize terminal{};
    const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col > 0;
    width = is_known ? terminal.ws_col : 80;
  }
  return std::max(width, kColumn + 20);
}

/// Characters of UTF-8 text.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Breaks lines that are wider than `width` between words that stand behind `column`, which is
/// where they go on.
std::string wrapped(const std::string& text, size_t column, size_t width) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); all += line + "\n") {
    if (width_of(line) <= width) continue;
    std::istringstream words(line.substr(column));
    std::string rest = line.substr(0, column);
    line.clear();
    bool first = true;
    for (std::string word; words >> word; first = false) {
      if (!first && width_of(rest) + 1 + width_of(word) > width) {
        line += rest + "\n";
        rest = std::string(column, ' ');
        first = true;
      }
      rest += (first ? "" : " ") + word;
    }
    line += rest;
  }
  return all;
}

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kColumn); }

  std::string make_description(const CLI::App* app) const override {
    return wrapped(CLI::Formatter::make_description(app), 0, help_width());
  }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return wrapped(CLI::Formatter::make_option(option, is_positional), kColumn, help_width());
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return wrapped(CLI::Formatter::make_subcommand(command), kColumn, help_width());
  }
};

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
    const std::string gap = name.size() < kColumn ? std::string(kColumn - name.size(), ' ')
                                                  : "\n" + std::string(kColumn, ' ');
    text += "\n" + name + gap + option->get_description();
  }
  text = wrapped(text, kColumn, help_width());
  return text.substr(0, text.size() - 1);
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

std::vector<std::string> names_of_subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// The known name that is nearest to `word`, or the only one that goes on behind it; "" for none.
std::string meant_by(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  if (!near.empty() || word.size() < 2) return near;
  const auto goes_on = [&](const std::string& name) { return name.starts_with(word); };
  const auto first = std::find_if(known.begin(), known.end(), goes_on);
  return std::count_if(known.begin(), known.end(), goes_on) == 1 ? *first : "";
}

/// All that may stand where `word` does.
std::vector<std::string> known_beside(const std::string& word, const CLI::App& app) {
  if (!word.starts_with('-')) return names_of_subcommands(app);
  std::vector<std::string> known;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  return known;
}

}  // namespace

std::string wrapped_config_help(const std::string& text) {
  constexpr size_t kIndent = 4;
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_description = line.starts_with(std::string(kIndent, ' '));
    all += is_description ? wrapped(line, kIndent, help_width()) : line + "\n";
  }
  return all;
}

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<HelpFormatter>(); }

void complete_subcommand_help(CLI::App& app, const std::string& example) {
  const std::string shared = shared_options(app);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    std::string footer = example_of(*command, example);
    if (command->get_fallthrough()) footer += (footer.empty() ? "" : "\n\n") + shared;
    command->footer(footer);
  }
}

std::string mistaken_subcommand(const CLI::App& app) {
  const bool is_default = app.get_name() == "run" && app.get_parent() != nullptr;
  const auto* files = app.get_option_no_throw("config");
  if (files == nullptr || files->results().empty()) return "";
  const std::string& word = files->results().front();
  if (word.find_first_of("./") != std::string::npos) return "";
  const std::string meant =
      meant_by(word, names_of_subcommands(is_default ? *app.get_parent() : app));
  std::error_code failed;
  if (meant.empty() || meant == word || std::filesystem::exists(word, failed)) return "";
  return "'" + word + "' is neither a file nor a subcommand; did you mean '" + meant + "'?";
}

std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = *chosen(&app);
  std::string text = mistaken_subcommand(command);
  if (!text.empty()) return text + "\nSee " + command_of(command) + " --help";
  text = error.what();
  for (const std::string& argument : app.remaining(true)) {
    const std::string word = argument.substr(0, argument.find('='));
    const bool is_option = word.starts_with('-');
    if (!is_option && command.get_subcommands([](const CLI::App*) { return true; }).empty()) break;
    text = "'" + word + "' is no " + (is_option ? "option" : "subcommand") + " here";
    const std::string meant = meant_by(word, known_beside(word, command));
    if (!meant.empty()) text += "; did you mean '" + meant + "'?";
    break;
  }
  return text + "\nSee " + command_of(command) + " --help";
}

}  // namespace limbeck
