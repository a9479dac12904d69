#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace limbeck {

/// What a stream of audio is and how its samples are stored.
struct StreamInfo {
  int rate_hz = 0;
  int channels = 0;
  int64_t frames = -1;  ///< samples per channel; −1: known at the end only (a pipe)
  int container = 0;    ///< libsndfile's SF_FORMAT_…, type and byte order; 0: raw samples
  int encoding = 0;     ///< libsndfile's subtype
};

/// How raw samples on a pipe are to be understood: little-endian, interleaved.
struct RawFormat {
  int rate_hz = 16000;
  int channels = 1;
  std::string samples = "s16";  ///< s16, s24, s32 or f32
};

/// Reads audio from the beginning to the end in blocks, in constant memory: a file of any type that
/// libsndfile knows, WAV on a pipe (its length may be unknown), or raw samples on a pipe.
class StreamReader {
 public:
  /// A file; the same checks and messages as `read_audio`. Throws DataError naming it.
  static std::unique_ptr<StreamReader> open(const std::filesystem::path& path);
  /// What comes from a descriptor that need not seek; with `raw` null, WAV is expected: PCM of 8,
  /// 16, 24 or 32 bits, float or double, of known or unknown length (0, or as SoX, ffmpeg and
  /// arecord leave it). Waits for its header. The descriptor stays open; `name` stands for it in
  /// messages. Throws DataError, ConfigError for raw samples that cannot be, and, as `read` does,
  /// Interrupted (core/interrupt.h) while it waits.
  static std::unique_ptr<StreamReader> open_pipe(int descriptor, const std::string& name,
                                                 const RawFormat* raw);
  virtual ~StreamReader() = default;

  virtual const StreamInfo& info() const = 0;
  /// The next samples, interleaved, at most `frames` (> 0) per channel; fewer only at the end or
  /// where a pipe has no more for now; empty: the end. Throws DataError: cut short (within a
  /// sample, too), not finite, no samples at all.
  virtual std::vector<float> read(int64_t frames) = 0;
  /// Of a pipe, waits for the end of what follows the samples, so that who writes it does not fail:
  /// for after the end, once nothing else waits for it. Throws DataError for another WAV.
  virtual void drain() {}
};

}  // namespace limbeck
