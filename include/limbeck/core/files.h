#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limbeck/core/error.h"

namespace limbeck {

class Logger;

/// What std::filesystem could not do, as "path: reason"; of `about` where the error names no path.
DataError data_error(const std::filesystem::filesystem_error& error,
                     const std::filesystem::path& about = {});

/// `body()`; what std::filesystem throws there becomes a DataError that names the path. `about` is
/// for bodies that go through a folder: iterators that fail on the way name none.
template <class Body>
decltype(auto) on_disk(Body&& body, const std::filesystem::path& about = {}) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::filesystem::filesystem_error& e) {
    throw data_error(e, about);
  }
}

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

/// Writes a temporary sibling, fsyncs it unless `sync` is false, and renames it over `path`:
/// readers see the old or the new contents, never half of them. A symbolic link stays, and what it
/// leads to is replaced; a stream is written to. Throws DataError with the reason, such as a full
/// disk.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents,
                           bool sync = true);

/// True for what no file can take the place of: a device, a pipe, what a process has open
/// (/dev/stdout, whatever it is redirected to), and links to these.
bool is_stream(const std::filesystem::path& path);

/// Where to make the file or folder that is to be renamed to `path` once it is whole: a hidden
/// sibling, .NAME.MACHINE-PROCESS-RANDOM.tmp, that no other process or call uses.
std::filesystem::path temporary_sibling(const std::filesystem::path& path);

/// Removes what processes that are gone left in the folder of `path` under such names, whatever
/// their NAME. Whether a process of another machine (or container) lives cannot be seen: what it
/// left goes after a day without a change. Never throws; who makes files calls it when it begins.
void remove_stale_siblings(const std::filesystem::path& path);

/// Where a symbolic link, or a chain of them, leads to, be there something or not; any other path
/// as it is. Links in /proc (/dev/fd) are not followed: what a process has open may have no name.
/// Throws DataError for a ring of links.
std::filesystem::path behind_links(const std::filesystem::path& path);

/// Flushes a file or a directory to the disk, where the file system can. Throws DataError.
void sync_path(const std::filesystem::path& path);

/// XXH3-128 as 32 hexadecimal digits.
std::string hash_bytes(const void* data, size_t size);
std::string hash_file(const std::filesystem::path& path);

/// Paths that match a shell pattern (`runs/cosine-s*`), sorted.
std::vector<std::filesystem::path> glob_paths(const std::string& pattern);

/// Holds `directory/lock` for as long as it lives, so that two processes never write one run, and
/// removes what dead ones left half written in the directory.
class DirectoryLock {
 public:
  /// Throws ConfigError if another process holds the lock. On a file system without locks (Lustre,
  /// NFS, as they are often mounted) it holds nothing: `logger` is warned, and work goes on.
  explicit DirectoryLock(const std::filesystem::path& directory, Logger* logger = nullptr);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace limbeck
