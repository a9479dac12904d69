#include "limbeck/core/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace limbeck {

std::string LineFile::append(std::string_view line) {
  kept_.append(line) += '\n';
  return write_kept();
}

std::string LineFile::open() {
  const int descriptor = open_descriptor();
  return told(descriptor < 0 ? errno : ::close(descriptor) == 0 ? 0 : errno);
}

std::string LineFile::write_kept() {
  if (kept_.empty()) return "";
  const int descriptor = open_descriptor();
  return told(descriptor < 0 ? errno : write_to(descriptor));
}

std::string LineFile::told(int failed) const {
  return failed == 0 ? "" : file_.string() + ": cannot be written: " + std::strerror(failed);
}

/// −1 with errno where it fails.
int LineFile::open_descriptor() {
  struct stat status{};
  const std::filesystem::path folder = file_.has_parent_path() ? file_.parent_path() : ".";
  if (::stat(folder.c_str(), &status) != 0) return -1;
  const Folder now = {status.st_dev, status.st_ino};
  if (folder_ && now != *folder_) {
    errno = ENOENT;
    return -1;
  }
  const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor >= 0) folder_ = now;
  return descriptor;
}

/// 0, or why not.
int LineFile::write_to(int descriptor) {
  int failed = 0;
  // A disk that is getting full takes a part first; only the next call says why.
  size_t done = written_;
  while (failed == 0 && done < kept_.size()) {
    const ssize_t wrote = ::write(descriptor, kept_.data() + done, kept_.size() - done);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (::close(descriptor) != 0 && failed == 0) failed = errno;
  const size_t whole_lines = done == 0 ? 0 : kept_.rfind('\n', done - 1) + 1;  // npos + 1 is 0
  written_ = done - whole_lines;
  kept_.erase(0, whole_lines);
  return failed;
}

}  // namespace limbeck
