#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/csv.h"

namespace limbeck {

/// What a table may say of a recording: as much as the header of a FLAC file can.
inline constexpr int64_t kMostSamples = (int64_t{1} << 36) - 1;
inline constexpr int64_t kLargestRateHz = (1 << 20) - 1;

/// One row of a CSV file with its place, so that every complaint can name it.
class CsvRow {
 public:
  CsvRow(const Csv& csv, size_t index, const std::filesystem::path& file)
      : csv_(csv), index_(index), file_(file) {}

  size_t line() const { return csv_.lines[index_]; }
  const std::filesystem::path& file() const { return file_; }

  /// Throws DataError as `file:line: reason`.
  [[noreturn]] void fail(const std::string& reason) const;

  // A field of a column that is there, as what it should be; each fails if it is not that.
  const std::string& text(const std::string& column) const;
  const std::string& non_empty(const std::string& column) const;
  int64_t integer(const std::string& column, int64_t smallest, int64_t largest) const;
  double number(const std::string& column, double smallest, double largest) const;
  const std::string& hash(const std::string& column) const;

 private:
  const Csv& csv_;
  size_t index_;
  const std::filesystem::path& file_;
};

/// Throws DataError if a column occurs twice or one of `needed` is missing; `what` names the file's
/// kind.
void require_columns(const Csv& csv, const std::vector<std::string>& needed,
                     const std::filesystem::path& file, const std::string& what);

}  // namespace limbeck
