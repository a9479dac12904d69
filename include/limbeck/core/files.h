#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// Whole file as bytes. Throws DataError with the path.
std::string read_file(const std::filesystem::path& path);

/// A file's bytes, mapped into memory for as long as the object lives.
class MappedFile {
 public:
  /// Throws DataError with the path.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;  // null for an empty file, which cannot be mapped
  size_t size_ = 0;
};

/// Writes a temporary sibling, fsyncs it, and renames it over `path`: readers see the old or the
/// new contents, never half of them. Throws DataError.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);

/// Flushes a file or a directory to the disk. Throws DataError.
void sync_path(const std::filesystem::path& path);

/// XXH3-128 as 32 hexadecimal digits.
std::string hash_bytes(const void* data, size_t size);
std::string hash_file(const std::filesystem::path& path);

/// `path` as it should stand in a file that lies in `folder` (absolute, without symbolic links):
/// relative to it, with '/', unless they share only the root.
std::string path_within(const std::filesystem::path& path, const std::filesystem::path& folder);

/// Paths that match a shell pattern (`runs/cosine-s*`), sorted.
std::vector<std::filesystem::path> glob_paths(const std::string& pattern);

/// Holds `directory/lock` for as long as it lives, so that two processes never write one run.
class DirectoryLock {
 public:
  /// Throws ConfigError if another process holds the lock.
  explicit DirectoryLock(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace limbeck
