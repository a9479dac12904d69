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
#include <cstring>
#include <fstream>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) {
    throw DataError(path.string() + ": cannot be read: " +
                    (fs::is_directory(path) ? "is a directory" : std::strerror(errno)));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

MappedFile::MappedFile(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  bool mapped = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
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
  if (descriptor < 0 || ::fsync(descriptor) != 0) {
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    throw DataError(path.string() + ": cannot be flushed to disk: " + std::strerror(reason));
  }
  ::close(descriptor);
}

void write_file_atomically(const fs::path& path, std::string_view contents) {
  fs::path temporary = path;
  temporary += format(".%d.tmp", ::getpid());
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  out.close();
  if (!out) {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw DataError(path.string() + ": cannot be written: " + reason);
  }
  try {
    sync_path(temporary);
    fs::rename(temporary, path);
  } catch (const std::exception& e) {
    std::error_code reason;
    if (const auto* failed = dynamic_cast<const fs::filesystem_error*>(&e)) reason = failed->code();
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw DataError(path.string() +
                    ": cannot be written: " + (reason ? reason.message() : e.what()));
  }
}

std::string hash_bytes(const void* data, size_t size) {
  const XXH128_hash_t hash = XXH3_128bits(data, size);
  return format("%016x%016x", hash.high64, hash.low64);
}

std::string hash_file(const fs::path& path) {
  const std::string contents = read_file(path);
  return hash_bytes(contents.data(), contents.size());
}

std::string path_within(const fs::path& path, const fs::path& folder) {
  const fs::path absolute = fs::weakly_canonical(fs::absolute(path));
  auto [a, b] = std::mismatch(absolute.begin(), absolute.end(), folder.begin(), folder.end());
  const bool only_root = std::distance(absolute.begin(), a) <= 1;
  return (only_root ? absolute : absolute.lexically_relative(folder)).generic_string();
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

DirectoryLock::DirectoryLock(const fs::path& directory) {
  const fs::path path = directory / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw DataError(path.string() + ": cannot be written: " + std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw ConfigError(directory.string() + ": another process is using this directory");
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace limbeck
