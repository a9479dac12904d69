#include "limbeck/core/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "limbeck/core/error.h"

namespace limbeck {

bool is_locked(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "lock";
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw DataError(path.string() + ": cannot be read: " + std::strerror(errno));
  }
  const bool locked = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return locked;
}

}  // namespace limbeck
