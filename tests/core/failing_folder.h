#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

namespace limbeck::test {

/// No file of this process may grow beyond so many bytes, as long as it lives: a disk that is full,
/// but for the reason, "File too large".
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

/// Folders that may be read, but not written, as long as it lives. Root may write everywhere, and
/// becomes nobody for that time.
class ReadOnly {
 public:
  explicit ReadOnly(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {
    for (const auto& folder : folders_) {
      std::filesystem::permissions(folder, std::filesystem::perms(0555));
    }
    if (is_root_ && ::seteuid(65534) != 0) ::abort();
  }
  ~ReadOnly() {
    if (is_root_ && ::seteuid(0) != 0) ::abort();
    for (const auto& folder : folders_) {
      std::filesystem::permissions(folder, std::filesystem::perms(0755));
    }
  }
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

 private:
  std::vector<std::filesystem::path> folders_;
  bool is_root_ = ::geteuid() == 0;
};

}  // namespace limbeck::test
