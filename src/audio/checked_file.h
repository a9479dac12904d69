#pragma once

#include <sndfile.h>

#include <filesystem>

#include "audio/sound_file.h"

namespace limbeck {

/// A new file for libsndfile to write, which keeps the reason of the first call that failed:
/// libsndfile says nothing where the last of a file cannot be written. Has to outlive what it
/// opened.
class CheckedFile {
 public:
  /// `error()` says whether it could be made.
  explicit CheckedFile(const std::filesystem::path& path);
  ~CheckedFile();
  CheckedFile(const CheckedFile&) = delete;
  CheckedFile& operator=(const CheckedFile&) = delete;

  SoundFile open(SF_INFO& info);
  /// Leaves out what lies beyond the last byte that was written.
  void cut_here();
  /// Flushes to the disk and closes.
  void close();
  /// errno of the first failure, or 0.
  int error() const { return error_; }

 private:
  static sf_count_t size(void* self);
  static sf_count_t seek(sf_count_t offset, int whence, void* self);
  static sf_count_t read(void* to, sf_count_t count, void* self);
  static sf_count_t write(const void* from, sf_count_t count, void* self);
  static sf_count_t tell(void* self);

  void keep(bool has_failed);

  int descriptor_;
  int error_ = 0;
  sf_count_t at_ = 0;
};

}  // namespace limbeck
