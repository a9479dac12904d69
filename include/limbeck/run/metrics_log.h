#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace limbeck {

/// What training tells of its steps: lines of JSON, each an object with `step`, in steps that do
/// not fall; only that of a validation may come later, once its scores are there.
class MetricsLog {
 public:
  explicit MetricsLog(std::filesystem::path file) : file_(std::move(file)) {}

  /// Appends one line. It is in the file when this returns, whatever happens to the process.
  /// Throws DataError.
  void append(const std::string& json_line);
  /// Flushes the lines to the disk, so that no checkpoint knows of more than they do.
  void sync() const;
  /// Drops the lines after `step`, that of a divergence, and unless `validated` those of that
  /// step's validation, too: a resumed run writes them again.
  void truncate(int64_t step, bool validated = true);

 private:
  std::filesystem::path file_;
};

}  // namespace limbeck
