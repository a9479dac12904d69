#include "audio/checked_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace limbeck {

CheckedFile::CheckedFile(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  keep(descriptor_ < 0);
}

CheckedFile::~CheckedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void CheckedFile::keep(bool has_failed) {
  if (has_failed && error_ == 0) error_ = errno;
}

SoundFile CheckedFile::open(SF_INFO& info) {
  at_ = 0;
  SF_VIRTUAL_IO io{size, seek, read, write, tell};
  return SoundFile(::sf_open_virtual(&io, SFM_WRITE, &info, this));
}

void CheckedFile::cut_here() { keep(::ftruncate(descriptor_, at_) != 0); }

void CheckedFile::close() {
  // Some file systems cannot flush, and say so with these.
  keep(::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP);
  keep(::close(descriptor_) != 0);
  descriptor_ = -1;
}

sf_count_t CheckedFile::size(void* self) {
  CheckedFile& file = *static_cast<CheckedFile*>(self);
  struct stat status{};
  file.keep(::fstat(file.descriptor_, &status) != 0);
  return status.st_size;
}

sf_count_t CheckedFile::seek(sf_count_t offset, int whence, void* self) {
  CheckedFile& file = *static_cast<CheckedFile*>(self);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at_ : size(self);
  if (base + offset < 0) return -1;
  return file.at_ = base + offset;
}

sf_count_t CheckedFile::read(void* to, sf_count_t count, void* self) {
  CheckedFile& file = *static_cast<CheckedFile*>(self);
  const ssize_t got = ::pread(file.descriptor_, to, static_cast<size_t>(count), file.at_);
  file.keep(got < 0);
  if (got > 0) file.at_ += got;
  return got < 0 ? 0 : got;
}

sf_count_t CheckedFile::write(const void* from, sf_count_t count, void* self) {
  CheckedFile& file = *static_cast<CheckedFile*>(self);
  sf_count_t done = 0;
  while (done < count) {
    const ssize_t written = ::pwrite(file.descriptor_, static_cast<const char*>(from) + done,
                                     static_cast<size_t>(count - done), file.at_);
    if (written < 0 && errno == EINTR) continue;
    file.keep(written < 0);
    if (written < 0) break;
    done += written;
    file.at_ += written;
  }
  return done;
}

sf_count_t CheckedFile::tell(void* self) { return static_cast<CheckedFile*>(self)->at_; }

}  // namespace limbeck
