#include "audio/memory_file.h"

#include <algorithm>
#include <cstdio>

namespace limbeck {

SoundFile MemoryFile::open(int mode, SF_INFO& info) {
  at_ = 0;
  SF_VIRTUAL_IO io{size, seek, read, write, tell};
  return SoundFile(::sf_open_virtual(&io, mode, &info, this));
}

sf_count_t MemoryFile::size(void* self) {
  return static_cast<sf_count_t>(static_cast<MemoryFile*>(self)->bytes().size());
}

sf_count_t MemoryFile::seek(sf_count_t offset, int whence, void* self) {
  MemoryFile& file = *static_cast<MemoryFile*>(self);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at_ : size(self);
  if (base + offset < 0) return -1;
  return file.at_ = base + offset;
}

sf_count_t MemoryFile::read(void* to, sf_count_t count, void* self) {
  MemoryFile& file = *static_cast<MemoryFile*>(self);
  count = std::clamp<sf_count_t>(size(self) - file.at_, 0, count);
  std::copy_n(file.bytes().data() + (count > 0 ? file.at_ : 0), count, static_cast<char*>(to));
  file.at_ += count;
  return count;
}

sf_count_t MemoryFile::write(const void* from, sf_count_t count, void* self) {
  MemoryFile& file = *static_cast<MemoryFile*>(self);
  const auto end = static_cast<size_t>(file.at_ + count);
  if (end > file.written_.size()) file.written_.resize(end);
  std::copy_n(static_cast<const char*>(from), count, file.written_.data() + file.at_);
  file.at_ += count;
  return count;
}

sf_count_t MemoryFile::tell(void* self) { return static_cast<MemoryFile*>(self)->at_; }

}  // namespace limbeck
