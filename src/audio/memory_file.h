#pragma once

#include <sndfile.h>

#include <string>
#include <string_view>

#include "audio/sound_file.h"

namespace limbeck {

/// A file in memory, as libsndfile reads or writes it. Has to outlive what it opened.
class MemoryFile {
 public:
  /// One to be read, or, without bytes, to be written.
  explicit MemoryFile(std::string_view bytes = {}) : read_only_(bytes) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  SoundFile open(int mode, SF_INFO& info);
  std::string_view bytes() const { return written_.empty() ? read_only_ : written_; }

 private:
  static sf_count_t size(void* self);
  static sf_count_t seek(sf_count_t offset, int whence, void* self);
  static sf_count_t read(void* to, sf_count_t count, void* self);
  static sf_count_t write(const void* from, sf_count_t count, void* self);
  static sf_count_t tell(void* self);

  std::string_view read_only_;
  std::string written_;
  sf_count_t at_ = 0;
};

}  // namespace limbeck
