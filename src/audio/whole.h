#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace limbeck {

/// A file's bytes, wherever they are.
struct ByteSource {
  int64_t size = 0;
  std::function<std::string(int64_t offset, int64_t count)> read;  ///< fewer at the file's end
};

/// True for what writers into a pipe put for a WAV file's bytes of samples, which they cannot know:
/// 0xffffffff (ffmpeg), 0x7fffff00 (arecord), the most blocks of `block` bytes that 0x7ffff000
/// holds (SoX), and what is near.
bool is_unknown_length(int64_t length, int64_t block);

/// libsndfile reads what is left of a file that was cut short as if that were all. This throws
/// DataError that begins with `name` where
///   - a WAV file (RIFF, RIFX, RF64, BW64) holds fewer samples than its header says, or more than
///     its header can say. A length that a writer into a pipe leaves says nothing: all that
///     follows is taken. A length of 0 before other bytes is that of a
///     file that was never finished;
///   - an AIFF, Wave64 or CAF file holds fewer samples than its header says, where that says it;
///   - an Ogg file lacks the page that ends it.
/// FLAC is seen to be short when it is decoded.
void require_whole(const std::string& name, const ByteSource& bytes);

}  // namespace limbeck
