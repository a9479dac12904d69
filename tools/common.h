#pragma once

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/config/resolve.h"
#include "limbeck/core/log.h"
#include "usage.h"

namespace limbeck {

/// A command line with what all executables share: --help with an example, --version, --quiet,
/// --verbose, interrupts, and errors turned into one message and an exit code.
class Tool {
 public:
  Tool(const std::string& name, const std::string& purpose, const std::string& example);

  CLI::App app;
  /// Valid inside the body.
  Logger& logger() { return *logger_; }

  /// Parses, runs `body`, and returns the exit code: not 0 where standard output was lost.
  int run(int argc, char** argv, const std::function<int()>& body);

 private:
  int run_body(int argc, char** argv, const std::function<int()>& body);

  bool quiet_ = false;
  bool verbose_ = false;
  std::string example_;
  std::unique_ptr<Logger> logger_;
};

/// Prints a line about what was written to `out`; into the log where that is a stream, such as the
/// standard output itself. Nothing under --quiet.
void print_about(const std::filesystem::path& out, const std::string& line, Logger& logger);

/// The options of a tool that is driven by a configuration: files, --set, --check, --dump-config,
/// --help-config, --device.
class ConfigOptions {
 public:
  /// `device_key` is where --device goes in the configuration.
  ConfigOptions(CLI::App& app, const std::string& device_key);

  bool check = false;

  /// An option that is short for --set key=TEXT; the text is taken as it is, not as YAML.
  void add_shortcut(const std::string& option, const std::string& key, const std::string& help);
  /// The same for a whole number; given without one, it means `if_bare`, and 0 or less
  /// is refused (−1: a number is needed, any).
  void add_number_shortcut(const std::string& option, const std::string& key,
                           const std::string& help, int64_t if_bare = -1);
  /// The same for key=true.
  void add_flag_shortcut(const std::string& option, const std::string& key,
                         const std::string& help);
  /// The same for a list of words, separated by commas or spaces.
  void add_list_shortcut(const std::string& option, const std::string& key,
                         const std::string& help);

  /// Answers --help-config and --dump-config; returns false if that was all. Throws ConfigError.
  template <class Config>
  bool load(Config& config) const {
    if (help_config_) {
      std::fputs(kAboutPaths, stdout);
      std::fputs(wrapped_config_help(config::help_text<Config>()).c_str(), stdout);
      return false;
    }
    config = config::load<Config>(files(), sets());
    if (dump_) {
      std::fputs(config::to_yaml(config::to_node(config)).c_str(), stdout);
      return false;
    }
    return true;
  }

 private:
  static constexpr const char* kAboutPaths =
      "# Later wins: these defaults, then each YAML file in order, then each --set.\n"
      "# Paths are relative to the folder in which the command is started, wherever the YAML file\n"
      "# lies; those of extends: to the file in which they stand.\n";

  struct Shortcut {
    std::string key;
    bool is_list;
    std::vector<std::string> values;
  };

  void add(const std::string& option, const std::string& key, const std::string& help,
           bool is_list);
  /// Throws ConfigError if there is neither a file nor a setting.
  std::vector<std::filesystem::path> files() const;
  std::vector<std::string> sets() const;

  CLI::App& app_;
  std::vector<std::string> files_;
  std::vector<std::string> sets_;
  std::list<Shortcut> shortcuts_;  // CLI11 keeps references to the values
  bool dump_ = false;
  bool help_config_ = false;
};

}  // namespace limbeck
