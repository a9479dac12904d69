#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "limbeck/audio/stream_reader.h"
#include "limbeck/core/error.h"

namespace limbeck {

/// Something about the place that is written to (errno), which other files would meet as well.
class WriteError : public DataError {
 public:
  using DataError::DataError;
};

/// Writes audio block by block, in constant memory. What was read from integers of up to 24 bits,
/// A-law, μ-law or float is written back bit for bit; of 32 bits and double what a float holds.
class StreamWriter {
 public:
  /// A file that appears under its name when `finish` is called, and not at all before: it is
  /// written beside it (`temporary_sibling`). `info` says container and encoding. A WAV file that
  /// will not hold what there is (4 GiB), or of unknown length, is made so that it can become RF64.
  /// The same samples give the same bytes but for Ogg. What is there when it appears goes, or, with
  /// `replaces` false, makes `finish` throw DataError. Throws WriteError, DataError: cannot be
  /// written; ConfigError: libsndfile cannot write that combination.
  static std::unique_ptr<StreamWriter> create(const std::filesystem::path& path,
                                              const StreamInfo& info, bool replaces = true);
  /// WAV of unknown length, or raw samples as in `raw`, into a descriptor, as soon as they come. It
  /// stays open. Throws ConfigError for an encoding that StreamReader does not take from a pipe.
  static std::unique_ptr<StreamWriter> create_pipe(int descriptor, const std::string& name,
                                                   const StreamInfo& info, const RawFormat* raw);
  virtual ~StreamWriter() = default;  ///< without `finish`: nothing is left behind

  /// Interleaved samples. Throws DataError: not finite, a pipe that nobody reads (that raises no
  /// SIGPIPE); WriteError: full disk; Interrupted while a pipe is full.
  virtual void write(std::span<const float> samples) = 0;
  /// Completes the file, flushes it to the disk and gives it its name. Returns how many samples
  /// were clipped at full scale. Throws DataError: no samples, more than the container holds;
  /// WriteError: full disk.
  virtual int64_t finish() = 0;
};

/// Whether libsndfile can write this container and encoding with these channels and rate.
bool can_write(const StreamInfo& info);

/// "wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "caf", "w64", "rf64": the container of
/// `--format NAME`, with the encoding of `like` if the container has it, or the closest one: not
/// less bits, or the most that it has (float becomes 24 bits in FLAC). Throws ConfigError that
/// lists the known names, and for channels or a rate that the container does not take.
StreamInfo with_format(const StreamInfo& like, const std::string& name);

}  // namespace limbeck
