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
  int container = 0;  ///< libsndfile's SF_FORMAT_…, type and endianness; raw samples have none (0)
  int encoding = 0;   ///< libsndfile's subtype
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
  /// What comes from a descriptor that cannot seek; with `raw` null, WAV is expected. The
  /// descriptor stays open. `name` stands for it in messages.
  static std::unique_ptr<StreamReader> open_pipe(int descriptor, const std::string& name,
                                                 const RawFormat* raw);
  virtual ~StreamReader() = default;

  virtual const StreamInfo& info() const = 0;
  /// The next samples, interleaved, at most `frames` per channel; fewer only at the end or where a
  /// pipe has no more for now; empty: the end. Throws DataError: cut short, not finite.
  virtual std::vector<float> read(int64_t frames) = 0;
};

}  // namespace limbeck
