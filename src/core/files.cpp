#include "limbeck/core/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "limbeck/core/format.h"
#include "limbeck/core/log.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// What calls answer whose kind a file system does not know.
bool is_unsupported(int reason) {
  return reason == ENOTSUP || reason == EOPNOTSUPP || reason == ENOSYS || reason == EINVAL ||
         reason == ENOLCK;
}

/// 0, or why not.
int sync_descriptor(int descriptor) {
  return ::fsync(descriptor) == 0 || is_unsupported(errno) ? 0 : errno;
}

/// 0, or why not.
int write_all(int descriptor, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = ::write(descriptor, contents.data(), contents.size());
    if (written >= 0) {
      contents.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Returns 0, or the reason of the first call that failed; the last of them may be close().
int write_contents(const fs::path& file, int flags, std::string_view contents, bool sync) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (descriptor < 0) return errno;
  int failed = write_all(descriptor, contents);
  if (sync && failed == 0) failed = sync_descriptor(descriptor);
  if (::close(descriptor) != 0 && failed == 0) failed = errno;
  return failed;
}

/// The number of what this process has open by the name of `target` (/proc/self/fd/1), or -1.
int own_descriptor(const fs::path& target) {
  std::error_code missing;
  const fs::path own = fs::canonical("/proc/self/fd", missing);
  const std::string name = target.filename().string();
  int descriptor = -1;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), descriptor);
  const bool is_number = failed == std::errc() && end == name.data() + name.size();
  return !missing && is_number && target.parent_path() == own ? descriptor : -1;
}

/// What is open already is written to as it is: opened anew, a socket or a pipe of another user is
/// refused, and a file forgets how far it is written.
int write_stream(const fs::path& target, std::string_view contents) {
  const int descriptor = own_descriptor(target);
  if (descriptor < 0) return write_contents(target, O_APPEND, contents, false);
  if (descriptor == STDOUT_FILENO && std::fflush(stdout) != 0) return errno;
  return write_all(descriptor, contents);
}

/// A descriptor with what it is, or −1 with errno. Throws DataError for a pipe or a device, whose
/// reading may never end, unless this process was handed it open (/dev/stdin, `<(…)`).
int open_to_read(const fs::path& path, struct stat& status) {
  const bool is_own = behind_links(path).native().starts_with("/proc/");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | (is_own ? 0 : O_NONBLOCK));
  if (descriptor < 0) return -1;
  const bool is_known = ::fstat(descriptor, &status) == 0;
  if (is_known && (is_own || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) return descriptor;
  const int reason = errno;
  ::close(descriptor);
  if (is_known) throw DataError(path.string() + ": is a pipe or a device, not a file");
  errno = reason;
  return -1;
}

/// As ::read, which no signal ends.
ssize_t read_some(int descriptor, char* data, size_t size) {
  for (;;) {
    const ssize_t got = ::read(descriptor, data, size);
    if (got >= 0 || errno != EINTR) return got;
  }
}

/// `failed`: 0, or why the file was not opened or read.
void close_read(int descriptor, int failed, const fs::path& path) {
  if (descriptor >= 0) ::close(descriptor);
  if (failed != 0) throw DataError(path.string() + ": cannot be read: " + std::strerror(failed));
}

std::string text_of(const XXH128_hash_t& hash) {
  return format("%016x%016x", hash.high64, hash.low64);
}

/// 0, or why not. Who only asks (`is_locked`) holds the lock for a moment, so that is waited for.
int take_lock(int descriptor) {
  constexpr int kTries = 20;
  for (int tried = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tried) {
    const int reason = errno;
    if (reason != EWOULDBLOCK || tried == kTries) return reason;
    ::usleep(10'000);
  }
  return 0;
}

}  // namespace

DataError data_error(const fs::filesystem_error& error, const fs::path& about) {
  const fs::path& path = error.path1().empty() ? about : error.path1();
  const std::string other = error.path2().empty() ? "" : " → " + error.path2().string();
  return DataError(path.string() + other + ": " + error.code().message());
}

std::string read_file(const fs::path& path) {
  struct stat status{};
  const int descriptor = open_to_read(path, status);
  int failed = descriptor < 0 ? errno : 0;
  // One byte more than the size, so that the end is met without asking for more room.
  std::string bytes(static_cast<size_t>(std::max<off_t>(status.st_size, 0)) + 1, '\0');
  size_t size = 0;
  while (failed == 0) {
    if (size == bytes.size()) bytes.resize(2 * size);
    const ssize_t got = read_some(descriptor, bytes.data() + size, bytes.size() - size);
    if (got == 0) break;
    if (got > 0) size += static_cast<size_t>(got);
    if (got < 0) failed = errno;
  }
  close_read(descriptor, failed, path);
  bytes.resize(size);
  return bytes;
}

MappedFile::MappedFile(const fs::path& path) {
  struct stat status{};
  const int descriptor = open_to_read(path, status);
  bool mapped = descriptor >= 0;
  size_ = mapped ? static_cast<size_t>(status.st_size) : 0;
  if (mapped && size_ > 0) {
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    mapped = address != MAP_FAILED;
    if (mapped) data_ = static_cast<const char*>(address);
  }
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!mapped) throw DataError(path.string() + ": cannot be read: " + std::strerror(reason));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int failed = descriptor < 0 ? errno : sync_descriptor(descriptor);
  if (descriptor >= 0) ::close(descriptor);
  if (failed != 0) {
    throw DataError(path.string() + ": cannot be flushed to disk: " + std::strerror(failed));
  }
}

bool is_stream(const fs::path& path) {
  const fs::path target = behind_links(path);
  struct stat status{};
  return target.native().starts_with("/proc/") ||
         (::stat(target.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
          !S_ISDIR(status.st_mode));
}

void write_file_atomically(const fs::path& path, std::string_view contents, bool sync) {
  const fs::path target = behind_links(path);
  int failed = 0;
  if (is_stream(target)) {
    failed = write_stream(target, contents);
  } else {
    const fs::path temporary = temporary_sibling(target);
    failed = write_contents(temporary, O_CREAT | O_EXCL, contents, sync);
    if (failed == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) failed = errno;
    if (failed != 0) ::unlink(temporary.c_str());
  }
  if (failed != 0) {
    throw DataError(path.string() + ": cannot be written: " + std::strerror(failed));
  }
}

std::string hash_bytes(const void* data, size_t size) { return text_of(XXH3_128bits(data, size)); }

std::string hash_file(const fs::path& path) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              &XXH3_freeState);
  if (state == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state.get());
  std::string block(size_t{1} << 18, '\0');
  struct stat status{};
  const int descriptor = open_to_read(path, status);
  int failed = descriptor < 0 ? errno : 0;
  for (ssize_t got = 1; failed == 0 && got > 0;) {
    got = read_some(descriptor, block.data(), block.size());
    if (got < 0) failed = errno;
    if (got > 0) XXH3_128bits_update(state.get(), block.data(), static_cast<size_t>(got));
  }
  close_read(descriptor, failed, path);
  return text_of(XXH3_128bits_digest(state.get()));
}

std::vector<fs::path> glob_paths(const std::string& pattern) {
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

DirectoryLock::DirectoryLock(const fs::path& directory, Logger* logger) {
  const fs::path path = directory / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw DataError(path.string() + ": cannot be written: " + std::strerror(errno));
  }
  if (const int reason = take_lock(descriptor_); reason != 0) {
    if (!is_unsupported(reason)) {
      ::close(descriptor_);
      if (reason != EWOULDBLOCK) {
        throw DataError(path.string() + ": cannot be locked: " + std::strerror(reason));
      }
      throw ConfigError(directory.string() + ": another process is using this directory");
    }
    if (logger != nullptr) {
      logger->warn(
          format("%s: cannot be locked, as this file system has no locks (%s): see to it "
                 "that no second process writes into the folder",
                 path, std::strerror(reason)));
    }
  }
  remove_stale_siblings(path);
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace limbeck
