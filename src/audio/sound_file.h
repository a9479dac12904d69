#pragma once

#include <sndfile.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace limbeck {

struct CloseSoundFile {
  void operator()(SNDFILE* file) const { ::sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, CloseSoundFile>;

class MemoryFile;

/// Frames a call. libsndfile's Vorbis encoder keeps a whole call on the stack, and a header that
/// lies about the length must not make us allocate what it says.
inline constexpr int64_t kSoundBlock = 1 << 14;

/// Throws DataError "path: reason".
[[noreturn]] void fail_about(const std::filesystem::path& path, const std::string& reason);

/// `open()` by libsndfile; throws DataError with `failure` and the library's reason.
SoundFile open_or_fail(const std::filesystem::path& path, const char* failure,
                       const std::function<SoundFile()>& open);

/// Opens an audio file; `info.frames` is how many there are, also where the header does not say.
/// Throws DataError that names the file: missing, no file, unreadable, cut short (whole.h), empty.
SoundFile open_to_read(const std::filesystem::path& path, SF_INFO& info);
/// The same for a file in memory; `name` stands for it in messages.
SoundFile open_memory(MemoryFile& memory, const std::filesystem::path& name, SF_INFO& info);

/// Throws DataError for a sample that is not finite; `samples` are interleaved and begin at
/// `first_frame`.
void require_finite(const std::filesystem::path& path, std::span<const float> samples,
                    int64_t first_frame, int channels = 1);

/// Writes interleaved samples as `encoding` (libsndfile's subtype) holds them: floats are kept,
/// others are clipped at full scale, and what was read from as many bits comes back. Returns how
/// many were clipped, or −1 if the file refused some.
int64_t put_samples(SNDFILE* file, std::span<const float> samples, int channels, int encoding);

/// What libsndfile said when `file` was written and is now closed: 0 or an error number.
int close_written(SoundFile& file);

}  // namespace limbeck
