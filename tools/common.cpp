#include "common.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "limbeck/core/cause.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/home_folder.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/utf8.h"
#include "limbeck/core/version.h"

namespace limbeck {
namespace {

/// Keeps the number of a standard stream that was closed (`>&-`) from a file that is opened later.
/// What is printed to such a stream still fails.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1) continue;
    const int took = ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (took != stream) return;
  }
}

/// The arguments, with the `~/` that a shell leaves in `--out=~/x` taken as it takes others.
std::vector<std::string> with_home(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::string& argument : arguments) {
    const size_t value = argument.starts_with("--") ? argument.find('=') + 1 : 0;  // npos + 1 is 0
    argument = argument.substr(0, value) + in_home(argument.substr(value));
  }
  return arguments;
}

/// False where some of what was printed did not arrive, such as on a full disk.
bool flush_standard_output() {
  const int failed = std::fflush(stdout) != 0 ? errno : 0;
  if (failed == 0 && std::ferror(stdout) == 0 && !std::cout.fail()) return true;
  std::cerr << "error: standard output: cannot be written"
            << (failed != 0 ? std::string(": ") + std::strerror(failed) : "") << std::endl;
  return false;
}

}  // namespace

Tool::Tool(const std::string& name, const std::string& purpose, const std::string& example)
    : app(purpose, name), example_(example) {
  app.formatter(help_formatter());
  app.footer("Example:\n  " + example);
  app.set_version_flag("--version", version_text());
  auto* quiet = app.add_flag("--quiet", quiet_, "only warnings and errors");
  app.add_flag("--verbose", verbose_, "more detail")->excludes(quiet);
}

int Tool::run(int argc, char** argv, const std::function<int()>& body) {
  occupy_standard_streams();
  const int code = run_body(argc, argv, body);
  const bool arrived = code != 0 || flush_standard_output();
  return arrived ? code : static_cast<int>(ExitCode::data);
}

int Tool::run_body(int argc, char** argv, const std::function<int()>& body) {
  complete_subcommand_help(app, example_);
  try {
    std::vector<const char*> arguments;
    const std::vector<std::string> texts = with_home(argc, argv);
    for (const std::string& text : texts) arguments.push_back(text.c_str());
    app.parse(argc, arguments.data());
  } catch (const CLI::Success& e) {  // --help and --version
    return app.exit(e, std::cout, std::cerr);
  } catch (const CLI::ParseError& e) {
    std::cerr << "error: " << displayable(usage_text(app, e)) << std::endl;
    return static_cast<int>(ExitCode::config);
  }
  logger_ = std::make_unique<Logger>(quiet_     ? Verbosity::quiet
                                     : verbose_ ? Verbosity::verbose
                                                : Verbosity::normal);
  catch_interrupts();
  // Every training step frees and asks for the same large blocks; giving them back to the kernel in
  // between costs more than a tenth of a step in page faults.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  try {
    cpu_level();  // throws before any work where LIMBECK_CPU names none
    return body();
  } catch (const Error& e) {
    logger_->error(e.what());
    return static_cast<int>(e.code());
  } catch (const ToldInterrupt& e) {
    return e.exit_code();
  } catch (const Interrupted& e) {
    logger_->info(e.what());
    return e.exit_code();
  } catch (const CLI::ParseError& e) {
    logger_->error(e.what());
    return static_cast<int>(ExitCode::config);
  } catch (const std::filesystem::filesystem_error& e) {
    logger_->error(data_error(e).what());
    return static_cast<int>(ExitCode::data);
  } catch (const std::exception& e) {
    const std::string cause = cause_of(e);
    if (is_out_of_memory(e)) {
      logger_->error(
          cause +
          "; it takes less with fewer files at once (--threads, --jobs), and with shorter "
          "recordings or smaller batches");
      return static_cast<int>(ExitCode::config);
    }
    logger_->error("internal: " + cause);
    return static_cast<int>(ExitCode::internal);
  }
}

void print_about(const std::filesystem::path& out, const std::string& line, Logger& logger) {
  if (is_stream(out)) return logger.info(line);
  if (logger.verbosity() != Verbosity::quiet) print("%s\n", line);
}

ConfigOptions::ConfigOptions(CLI::App& app, const std::string& device_key) : app_(app) {
  app.add_option("config", files_, "configuration files, later ones win");
  app.add_option("--set", sets_, "one value: a.b=c; may be repeated")->allow_extra_args(false);
  app.add_flag("--check", check, "check configuration and files, then stop");
  app.add_flag("--dump-config", dump_, "print the resolved configuration, then stop");
  app.add_flag("--help-config", help_config_,
               "print every key with range, default and meaning, then stop");
  add_shortcut("--device", device_key, "auto, cpu or cuda[:i]");
}

void ConfigOptions::add_number_shortcut(const std::string& option, const std::string& key,
                                        const std::string& help, int64_t if_bare) {
  auto* added = app_.add_option_function<std::vector<int64_t>>(
      option,
      [this, option, key, if_bare](const std::vector<int64_t>& n) {
        if (if_bare >= 0 && n.front() <= 0) {
          throw CLI::ValidationError(option, format("%d is not above 0", n.front()));
        }
        sets_.push_back(key + "=" + std::to_string(n.front()));
      },
      help + ", short for --set " + key);
  added->expected(1);
  // CLI11 takes this for the value of a bare option.
  if (if_bare >= 0) added->expected(0, 1)->type_name("[INT]")->default_str(std::to_string(if_bare));
  added->allow_extra_args(false);  // what follows is the next argument
}

void ConfigOptions::add_flag_shortcut(const std::string& option, const std::string& key,
                                      const std::string& help) {
  app_.add_flag_callback(
      option, [this, key] { sets_.push_back(key + "=true"); }, help + ", short for --set " + key);
}

void ConfigOptions::add_shortcut(const std::string& option, const std::string& key,
                                 const std::string& help) {
  add(option, key, help, false);
}

void ConfigOptions::add_list_shortcut(const std::string& option, const std::string& key,
                                      const std::string& help) {
  add(option, key, help, true);
}

void ConfigOptions::add(const std::string& option, const std::string& key, const std::string& help,
                        bool is_list) {
  Shortcut& shortcut = shortcuts_.emplace_back(Shortcut{key, is_list, {}});
  auto* added = app_.add_option(option, shortcut.values, help + ", short for --set " + key);
  is_list ? added->delimiter(',') : added->expected(1)->allow_extra_args(false);
}

std::vector<std::filesystem::path> ConfigOptions::files() const {
  if (const std::string mistaken = mistaken_subcommand(app_); !mistaken.empty()) {
    throw ConfigError(mistaken);
  }
  if (files_.empty() && sets().empty())
    throw ConfigError("no configuration file is named; see --help");
  return {files_.begin(), files_.end()};
}

std::vector<std::string> ConfigOptions::sets() const {
  const auto quoted = [](const std::string& text) {
    std::string yaml = "'";
    for (const char c : text) yaml += c == '\'' ? std::string("''") : std::string(1, c);
    return yaml + "'";
  };
  std::vector<std::string> all = sets_;
  for (const Shortcut& shortcut : shortcuts_) {
    if (shortcut.values.empty()) continue;
    std::vector<std::string> values;
    for (const std::string& value : shortcut.values) values.push_back(quoted(value));
    const std::string text = join(values, ", ");
    all.push_back(shortcut.key + "=" + (shortcut.is_list ? "[" + text + "]" : text));
  }
  return all;
}

}  // namespace limbeck
