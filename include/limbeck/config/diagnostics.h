#pragma once

#include <string>
#include <vector>

namespace limbeck::config {

/// Where a key or value was written. `line` 0: the source has no lines (a `--set` argument, a
/// default).
struct Location {
  std::string source;
  int line = 0;
  int column = 0;

  /// "file:line:column" or "source".
  std::string text() const;
};

/// Collects everything that is wrong, so that a user mends a file in one go.
class Diagnostics {
 public:
  /// `path` is the dotted key ("train.optimizer.lr") or empty. The same message is kept once.
  void add(const Location& where, const std::string& path, const std::string& message);
  bool empty() const { return messages_.empty(); }
  const std::vector<std::string>& messages() const { return messages_; }
  /// A part of the input could not be read at all: what is missing is no longer worth a message.
  void mark_incomplete() { incomplete_ = true; }
  bool incomplete() const { return incomplete_; }
  /// Throws a ConfigError that holds all messages, one a line.
  void throw_if_any() const;

 private:
  std::vector<std::string> messages_;
  bool incomplete_ = false;
};

}  // namespace limbeck::config
