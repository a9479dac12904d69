#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "limbeck/data/manifest.h"

namespace limbeck {

/// Reads segments of audio files. A file that is asked for is decoded whole and kept, as 16-bit
/// integers where these hold it exactly, until `capacity_bytes` are used; of later files only the
/// segment is decoded, and of files that cannot be decoded to their end. What is returned (or that
/// nothing can be) does not depend on the capacity. Safe to use from many threads.
class AudioStore {
 public:
  AudioStore(int rate_hz, int64_t capacity_bytes);

  /// Samples [start, start + count) of a file that the manifest says has `samples` and what is cut
  /// off. Throws
  /// DataError naming the file: as read_audio does; another rate or length than expected. Throws
  /// ChangedFile where the file is decoded whole, its format is lossless, and its content has
  /// another hash than the manifest says.
  std::vector<float> read(const AudioFile& file, int64_t samples, int64_t start,
                          int64_t count) const;

  int rate_hz() const { return rate_hz_; }
  int64_t used_bytes() const;

 private:
  struct Decoded {
    std::vector<int16_t> integers;
    std::vector<float> floats;  ///< used where 16 bits are not enough
    int64_t size() const;
    int64_t bytes() const;
    std::vector<float> slice(int64_t start, int64_t count) const;
  };

  std::shared_ptr<const Decoded> find(const std::string& name) const;
  bool has_room(int64_t bytes) const;
  std::shared_ptr<const Decoded> decode_and_keep(const AudioFile& file) const;

  int rate_hz_;
  int64_t capacity_bytes_;
  mutable std::mutex mutex_;
  mutable int64_t used_bytes_ = 0;
  mutable std::unordered_map<std::string, std::shared_ptr<const Decoded>> kept_;
};

}  // namespace limbeck
