#pragma once

#include <stdexcept>
#include <string>

namespace limbeck {

/// Exit codes of every executable.
enum class ExitCode : int {
  ok = 0,
  internal = 1,
  config = 2,
  data = 3,
  diverged = 4,
  some_failed = 5,
};

/// Base of all errors that a user can cause and mend. The message names the file, line, key or
/// value.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, ExitCode code) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Wrong configuration or command line.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(message, ExitCode::config) {}
};

/// Unreadable, malformed or unusable input data.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(message, ExitCode::data) {}
};

/// A model file or checkpoint that is missing, damaged, or of another shape than asked for.
class CheckpointError : public Error {
 public:
  explicit CheckpointError(const std::string& message) : Error(message, ExitCode::data) {}
};

/// Training reached a non-finite loss or gradient.
class DivergenceError : public Error {
 public:
  explicit DivergenceError(const std::string& message) : Error(message, ExitCode::diverged) {}
};

/// SIGINT or SIGTERM arrived; what was asked to be saved has been saved.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal) : std::runtime_error("interrupted"), signal_(signal) {}
  int exit_code() const { return 128 + signal_; }

 private:
  int signal_;
};

}  // namespace limbeck
