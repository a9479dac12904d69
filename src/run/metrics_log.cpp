#include "limbeck/run/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {

void MetricsLog::truncate(int64_t step) {
  if (!std::filesystem::exists(file_)) return;
  std::istringstream in(read_file(file_));
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("step", step + 1) > step) break;
    kept += line + "\n";
  }
  write_file_atomically(file_, kept);
}

void MetricsLog::append(const std::string& json_line) {
  const std::string line = json_line + "\n";
  const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool written = descriptor >= 0 && ::write(descriptor, line.data(), line.size()) ==
                                              static_cast<ssize_t>(line.size());
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw DataError(file_.string() + ": cannot be written: " + std::strerror(reason));
}

}  // namespace limbeck
