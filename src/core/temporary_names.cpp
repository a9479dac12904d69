#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/leftovers.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr auto kLongestSilence = std::chrono::hours(24);
constexpr size_t kLongestName = 200;  // of the 255 bytes that file systems take
constexpr int kMostLinks = 40;        // as the kernel follows

/// Stands for all processes that a process id tells apart: those of one machine since it was
/// started, in one container.
std::string machine() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::error_code unknown;
  const std::string text = host + std::string(std::istreambuf_iterator<char>(boot), {}) +
                           fs::read_symlink("/proc/self/ns/pid", unknown).string();
  return hash_bytes(text.data(), text.size()).substr(0, 8);
}

bool is_stale(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with('.') || path.extension() != ".tmp") return false;
  const std::string mark = path.stem().extension().string();
  char owner[9] = "";
  char random[9] = "";
  int process = 0;
  int end = 0;
  if (std::sscanf(mark.c_str(), ".%8[0-9a-f]-%d-%8[0-9a-f]%n", owner, &process, random, &end) !=
          3 ||
      static_cast<size_t>(end) != mark.size() || std::strlen(random) != 8 || process <= 0) {
    return false;
  }
  if (owner == machine()) return ::kill(process, 0) != 0 && errno == ESRCH;
  std::error_code gone;
  const auto changed = fs::last_write_time(path, gone);
  return !gone && fs::file_time_type::clock::now() - changed > kLongestSilence;
}

}  // namespace

fs::path temporary_sibling(const fs::path& path) {
  std::string name = path.filename().string();
  if (name.size() > kLongestName) name = hash_bytes(name.data(), name.size());
  const auto process = static_cast<int64_t>(::getpid());
  return path.parent_path() /
         format(".%s.%s-%d-%08x.tmp", name, machine(), process, std::random_device()());
}

std::vector<fs::path> stale_entries(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> stale;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (is_stale(entry->path())) stale.push_back(entry->path());
  }
  std::sort(stale.begin(), stale.end());
  return stale;
}

void remove_stale_siblings(const fs::path& path) {
  std::error_code ignored;
  for (const fs::path& left : stale_entries(path.has_parent_path() ? path.parent_path() : ".")) {
    fs::remove_all(left, ignored);
  }
}

fs::path behind_links(const fs::path& path) {
  fs::path target = path;
  std::error_code ignored;
  for (int links = 0; fs::is_symlink(fs::symlink_status(target, ignored)); ++links) {
    const fs::path folder = fs::weakly_canonical(target.parent_path(), ignored);
    if (folder.native().starts_with("/proc/")) return folder / target.filename();
    if (links == kMostLinks) throw DataError(path.string() + ": is a ring of symbolic links");
    target = target.parent_path() / on_disk([&] { return fs::read_symlink(target); });
  }
  return target;
}

}  // namespace limbeck
