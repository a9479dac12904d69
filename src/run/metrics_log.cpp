#include "limbeck/run/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "run/layout.h"

namespace limbeck {

void MetricsLog::truncate(int64_t step, bool validated) {
  const auto text = read_if_there(file_);
  if (!text) return;
  std::istringstream in(*text);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.contains(kDivergedKey)) continue;
    const auto at = entry.value("step", step + 1);
    if (at > step || (at == step && !validated && entry.value("split", "") == "valid")) continue;
    kept += line + "\n";
  }
  write_file_atomically(file_, kept);
}

void MetricsLog::append(const std::string& json_line) {
  const std::string line = json_line + "\n";
  const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  bool written = descriptor >= 0;
  // A disk that is getting full takes a part first; only the next call says why.
  for (size_t done = 0; written && done < line.size();) {
    const ssize_t now = ::write(descriptor, line.data() + done, line.size() - done);
    written = now >= 0;
    if (written) done += static_cast<size_t>(now);
  }
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw DataError(file_.string() + ": cannot be written: " + std::strerror(reason));
}

void MetricsLog::sync() const {
  if (is_there(file_)) sync_path(file_);
}

}  // namespace limbeck
