#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "limbeck/audio/stream_reader.h"

namespace limbeck {

/// Writes audio block by block, in constant memory. What was read from 16, 24 or 32 bits is written
/// back bit for bit.
class StreamWriter {
 public:
  /// A file that appears under its name when `finish` is called, and not at all before: it is
  /// written beside it. `info` says container and encoding. Throws DataError: cannot be written;
  /// ConfigError: libsndfile cannot write that combination.
  static std::unique_ptr<StreamWriter> create(const std::filesystem::path& path,
                                              const StreamInfo& info);
  /// WAV of unknown length, or raw samples as in `raw`, into a descriptor, as soon as they come.
  static std::unique_ptr<StreamWriter> create_pipe(int descriptor, const std::string& name,
                                                   const StreamInfo& info, const RawFormat* raw);
  virtual ~StreamWriter() = default;  ///< without `finish`: nothing is left behind

  /// Interleaved samples. Throws DataError (full disk, closed pipe).
  virtual void write(std::span<const float> samples) = 0;
  /// Completes the file and gives it its name. Returns how many samples were clipped.
  virtual int64_t finish() = 0;
};

/// Whether libsndfile can write this container and encoding with these channels and rate.
bool can_write(const StreamInfo& info);
/// "wav", "flac", "ogg", …: the extension and container of `--format NAME`, with an encoding that
/// is closest to the one of `like` (16 bits become 16 bits, float becomes 24 bits in FLAC). Throws
/// ConfigError that lists the known names.
StreamInfo with_format(const StreamInfo& like, const std::string& name);

}  // namespace limbeck
