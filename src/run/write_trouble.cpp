#include "limbeck/run/write_trouble.h"

#include "limbeck/core/format.h"

namespace limbeck {

std::string reason_in(const std::string& error) {
  const size_t colon = error.rfind(": ");
  return colon == std::string::npos ? error : error.substr(colon + 2);
}

void WriteTrouble::tell(const std::string& what, const std::string& error,
                        const std::string& consequence) {
  std::string& reason = reasons_[what];
  if (reason == reason_in(error)) return;
  reason = reason_in(error);
  if (logger_ != nullptr) logger_->warn(format("%s; %s", error, consequence));
}

void WriteTrouble::over(const std::string& what) {
  if (reasons_.erase(what) > 0 && logger_ != nullptr) {
    logger_->info(format("%s can be written again; nothing is missing", what));
  }
}

}  // namespace limbeck
