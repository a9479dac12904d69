#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace limbeck {

enum class Verbosity { quiet, normal, verbose };

/// Messages for the person at the terminal (standard error) and, once `add_file` was called, for
/// the run's log file, which gets every level with a time stamp. Passed to whoever speaks; there is
/// no global one.
class Logger {
 public:
  explicit Logger(Verbosity verbosity = Verbosity::normal);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void debug(const std::string& message);
  void info(const std::string& message);
  void warn(const std::string& message);
  void error(const std::string& message);

  /// Appends to `path` from now on. Throws DataError.
  void add_file(const std::filesystem::path& path);
  Verbosity verbosity() const { return verbosity_; }

 private:
  struct Sinks;
  Verbosity verbosity_;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace limbeck
