#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace limbeck {

/// A file that grows by lines, in a folder that may fail. A line that cannot be written is kept in
/// memory and written before the next one: as long as the process lives, none is lost, doubled or
/// out of order. The file is made where it is missing, but only in the folder that it was first
/// written to: not in the one that appears where a file system is no longer mounted.
class LineFile {
 public:
  explicit LineFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// Makes the file where it is missing; returns as append does.
  std::string open();
  /// Adds a line, which comes without its end. What is written is in the file when this returns,
  /// whatever happens to the process. Returns what keeps lines from being written, as "path:
  /// reason", or "".
  std::string append(std::string_view line);
  /// Tries again to write what is kept; returns as append does.
  std::string write_kept();

  /// The lines that are not wholly in the file.
  const std::string& kept() const { return kept_; }
  const std::filesystem::path& path() const { return file_; }

 private:
  struct Folder {
    uint64_t device, inode;
    bool operator==(const Folder&) const = default;
  };
  int open_descriptor();
  int write_to(int descriptor);
  std::string told(int failed) const;

  std::filesystem::path file_;
  std::optional<Folder> folder_;
  std::string kept_;
  size_t written_ = 0;  ///< bytes of the first line that is kept
};

}  // namespace limbeck
