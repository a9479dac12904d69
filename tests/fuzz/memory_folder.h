#pragma once

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace limbeck::fuzz {

/// A folder in memory, where the system has a place for that: nothing that is written there waits
/// for a disk. Copies are the same one, which goes with the last of them.
class MemoryFolder {
 public:
  MemoryFolder() : owner_(std::make_shared<Owner>()) {}

  std::filesystem::path operator/(const std::string& name) const { return owner_->path / name; }
  const std::filesystem::path& path() const { return owner_->path; }

  void put(const std::string& name, const std::string& contents) const {
    const std::filesystem::path file = owner_->path / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary);
    if (!(out << contents << std::flush)) throw std::runtime_error(file.string());
  }

 private:
  struct Owner {
    Owner() {
      const bool has_shm = ::access("/dev/shm", W_OK) == 0;
      const std::filesystem::path base =
          has_shm ? "/dev/shm" : std::filesystem::temp_directory_path();
      std::string pattern = (base / "limbeck-fuzz-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error(pattern);
      path = pattern;
    }
    ~Owner() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    std::filesystem::path path;
  };
  std::shared_ptr<Owner> owner_;
};

/// The input as a file for those that only read it: always the same one, which costs less than to
/// make one.
inline std::filesystem::path put(const std::string& bytes) {
  static const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::system_error(errno, std::generic_category(), "the input cannot be written");
  }
  return "/proc/self/fd/" + std::to_string(file);
}

/// The same under a name, until the folder goes.
inline void link_input(const MemoryFolder& folder, const std::string& name) {
  std::filesystem::create_directories((folder / name).parent_path());
  std::filesystem::create_symlink(put(""), folder / name);
}

}  // namespace limbeck::fuzz
