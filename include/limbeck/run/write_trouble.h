#pragma once

#include <map>
#include <string>

#include "limbeck/core/log.h"

namespace limbeck {

/// Tells of what keeps the folder of a run from being written: at once, and once for each reason.
class WriteTrouble {
 public:
  /// Without a logger nobody is told.
  explicit WriteTrouble(Logger* logger) : logger_(logger) {}

  /// `what` ("lines") failed with `error`, "path: reason", which has a `consequence`.
  void tell(const std::string& what, const std::string& error, const std::string& consequence);
  /// `what` has been written, and what failed of it before.
  void over(const std::string& what);

 private:
  Logger* logger_;
  std::map<std::string, std::string> reasons_;  // of what fails now
};

/// The last part of "path: cannot be written: reason": paths of temporary files differ each time.
std::string reason_in(const std::string& error);

}  // namespace limbeck
