#include "common.h"

#include <iostream>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/version.h"

namespace limbeck {

Tool::Tool(const std::string& name, const std::string& purpose, const std::string& example)
    : app(purpose, name) {
  app.footer("Example:\n  " + example);
  app.set_version_flag("--version", version_text());
  auto* quiet = app.add_flag("--quiet", quiet_, "only warnings and errors");
  app.add_flag("--verbose", verbose_, "more detail")->excludes(quiet);
}

int Tool::run(int argc, char** argv, const std::function<int()>& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? 0 : static_cast<int>(ExitCode::config);
  }
  logger_ = std::make_unique<Logger>(quiet_     ? Verbosity::quiet
                                     : verbose_ ? Verbosity::verbose
                                                : Verbosity::normal);
  catch_interrupts();
  try {
    return body();
  } catch (const Error& e) {
    logger_->error(e.what());
    return static_cast<int>(e.code());
  } catch (const Interrupted& e) {
    return e.exit_code();
  } catch (const CLI::ParseError& e) {
    logger_->error(e.what());
    return static_cast<int>(ExitCode::config);
  } catch (const std::exception& e) {
    logger_->error(std::string("internal: ") + e.what());
    return static_cast<int>(ExitCode::internal);
  }
}

ConfigOptions::ConfigOptions(CLI::App& app, std::string threads_key, std::string device_key)
    : threads_key_(std::move(threads_key)), device_key_(std::move(device_key)) {
  app.add_option("config", files_, "configuration files, later ones win");
  app.add_option("--set", sets_, "one value: a.b=c; may be repeated")->allow_extra_args(false);
  app.add_flag("--check", check, "check configuration and files, then stop");
  app.add_flag("--dump-config", dump_, "print the resolved configuration, then stop");
  app.add_flag("--help-config", help_config_, "print every key with range, default and meaning, then stop");
  app.add_option("--threads", threads_, "threads of LibTorch, short for --set " + threads_key_);
  app.add_option("--device", device_, "auto, cpu or cuda[:i], short for --set " + device_key_);
}

void ConfigOptions::require_files() const {
  if (files_.empty()) throw ConfigError("no configuration file is named; see --help");
}

std::vector<std::string> ConfigOptions::sets() const {
  std::vector<std::string> all = sets_;
  if (!threads_.empty()) all.push_back(threads_key_ + "=" + threads_);
  if (!device_.empty()) all.push_back(device_key_ + "=" + device_);
  return all;
}

}  // namespace limbeck
