#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "limbeck/core/log.h"

namespace limbeck {

/// One progress line: rewritten in place on a terminal, of whose details it shows what fits into
/// its width; elsewhere a log line every few seconds. It holds count, rate and the time that is
/// left at the rate seen so far.
class Progress {
 public:
  /// `unit` names what is counted, in the plural ("steps"). `done` of `total` were finished before.
  Progress(Logger& logger, std::string label, std::string unit, int64_t total, int64_t done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` items are finished; `details` follows the count on the line. The first call with all of
  /// them is shown at once.
  void update(int64_t done, const std::string& details = "");
  /// The same where items are not alike: what is known of the time that is left stands in place of
  /// the rate and what follows from it.
  void update(int64_t done, const std::string& details, const std::string& time_left);
  /// Ends the line so that other output can follow.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string time_text() const;
  std::string line(size_t width) const;

  Logger& logger_;
  std::string label_;
  std::string unit_;
  int64_t total_;
  int64_t first_;
  int64_t done_;
  bool terminal_;
  bool line_open_ = false;
  bool end_shown_ = false;
  std::string details_;
  std::optional<std::string> time_left_;
  Clock::time_point start_;
  Clock::time_point shown_{};
};

}  // namespace limbeck
