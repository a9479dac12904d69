#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "limbeck/core/line_file.h"
#include "limbeck/run/write_trouble.h"

namespace limbeck {

/// What training tells of its steps: lines of JSON, each an object with `step`, in steps that do
/// not fall.
class MetricsLog {
 public:
  /// `trouble`, if there is one, is told of lines that cannot be written, and must outlive this.
  explicit MetricsLog(std::filesystem::path file, WriteTrouble* trouble = nullptr)
      : lines_(std::move(file)), trouble_(trouble) {}

  /// Appends one line. It is in the file when this returns, whatever happens to the process, unless
  /// it cannot be written: then it is kept, and written before the next one; where nobody else is
  /// told, DataError is thrown.
  void append(const std::string& json_line);
  /// Writes what is kept, and flushes all lines to the disk, so that no checkpoint knows of more
  /// than they do. Throws DataError.
  void sync();
  /// The lines that could not be written so far.
  const std::string& kept() const { return lines_.kept(); }

  /// Drops the lines after `step`, that of a divergence, and unless `validated` those of that
  /// step's validation, too: a resumed run writes them again.
  void truncate(int64_t step, bool validated = true);
  /// Adds the lines that could not be written when a checkpoint was saved in another place, and so
  /// were put beside it; those of them that are there already are not there twice.
  void complete(const std::filesystem::path& checkpoint);

 private:
  LineFile lines_;
  WriteTrouble* trouble_;
};

}  // namespace limbeck
