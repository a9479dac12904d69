// The headers must not define what is defined here.
#undef _FORTIFY_SOURCE

#include "train/fault_injector.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

namespace limbeck::test {
namespace {

// The functions below have no other way to reach what the test asked for.
std::string watched;
Injection injection_of_process;
std::vector<std::string> calls;

std::string path_of(int descriptor) {
  char name[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = ::readlink(link.c_str(), name, sizeof name);
  return size < 0 ? "" : std::string(name, static_cast<size_t>(size));
}

std::string path_at(int folder, const char* path) {
  return path[0] == '/' || folder == AT_FDCWD ? path : path_of(folder) + "/" + path;
}

/// Counts a call; true if it must fail, with errno set.
bool fails(const char* call, const std::string& path, bool is_write = true) {
  if (watched.empty() || !path.starts_with(watched)) return false;
  const auto number = static_cast<int64_t>(calls.size()) - injection_of_process.at;
  calls.push_back(std::string(call) + " " + path);
  if (number < 0 || number >= injection_of_process.count) return false;
  if (injection_of_process.writes_only && !is_write) return false;
  if (injection_of_process.fault == Fault::kill) ::raise(SIGKILL);
  if (injection_of_process.fault == Fault::interrupt) ::raise(SIGINT);
  if (injection_of_process.fault != Fault::fail) return false;
  errno = injection_of_process.error;
  return true;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void inject(const std::filesystem::path& folder, const Injection& injection) {
  watched.clear();  // while this is written
  calls.clear();
  injection_of_process = injection;
  if (!folder.empty()) watched = folder.string() + "/";
}

const std::vector<std::string>& injected_calls() { return calls; }

}  // namespace limbeck::test

// All that the project and the libraries under it call to read and change files.
extern "C" {

using limbeck::test::fails;
using limbeck::test::next;
using limbeck::test::path_at;
using limbeck::test::path_of;

#define LIMBECK_TEST_OPEN(name)                                                                 \
  int name(const char* path, int flags, ...) {                                                  \
    static const auto real = next<int(const char*, int, ...)>(#name);                           \
    va_list more;                                                                               \
    va_start(more, flags);                                                                      \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;                      \
    va_end(more);                                                                               \
    return fails("open", path, (flags & O_ACCMODE) != O_RDONLY) ? -1 : real(path, flags, mode); \
  }
LIMBECK_TEST_OPEN(open)
LIMBECK_TEST_OPEN(open64)
#undef LIMBECK_TEST_OPEN

#define LIMBECK_TEST_FOPEN(name)                                             \
  FILE* name(const char* path, const char* mode) {                           \
    static const auto real = next<FILE*(const char*, const char*)>(#name);   \
    return fails("open", path, mode[0] != 'r') ? nullptr : real(path, mode); \
  }
LIMBECK_TEST_FOPEN(fopen)
LIMBECK_TEST_FOPEN(fopen64)
#undef LIMBECK_TEST_FOPEN

DIR* opendir(const char* path) {
  static const auto real = next<DIR*(const char*)>("opendir");
  return fails("opendir", path, false) ? nullptr : real(path);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  return fails("write", path_of(descriptor)) ? -1 : real(descriptor, data, size);
}

ssize_t read(int descriptor, void* data, size_t size) {
  static const auto real = next<ssize_t(int, void*, size_t)>("read");
  return fails("read", path_of(descriptor), false) ? -1 : real(descriptor, data, size);
}

int fsync(int descriptor) {
  static const auto real = next<int(int)>("fsync");
  return fails("fsync", path_of(descriptor)) ? -1 : real(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int(const char*, const char*)>("rename");
  return fails("rename", to) ? -1 : real(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int(const char*, mode_t)>("mkdir");
  return fails("mkdir", path) ? -1 : real(path, mode);
}

int unlink(const char* path) noexcept {
  static const auto real = next<int(const char*)>("unlink");
  return fails("unlink", path) ? -1 : real(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto real = next<int(int, const char*, int)>("unlinkat");
  return fails("unlink", path_at(folder, path)) ? -1 : real(folder, path, flags);
}

int remove(const char* path) noexcept {
  static const auto real = next<int(const char*)>("remove");
  return fails("unlink", path) ? -1 : real(path);
}

}  // extern "C"
