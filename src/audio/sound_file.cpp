#include "audio/sound_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <vector>

#include "audio/flac_length.h"
#include "audio/memory_file.h"
#include "audio/mp3_length.h"
#include "audio/pcm.h"
#include "audio/whole.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Counts by decoding all.
int64_t count_samples(const fs::path& path, SNDFILE* file, int channels) {
  std::vector<float> block(static_cast<size_t>(kSoundBlock * channels));
  int64_t count = 0;
  for (int64_t got = kSoundBlock; got == kSoundBlock; count += got) {
    got = ::sf_readf_float(file, block.data(), kSoundBlock);
  }
  if (::sf_error(file) == 0) return count;
  fail_about(path,
             format("is damaged or cut short after %d samples: %s", count, ::sf_strerror(file)));
}

/// `open` opens the file from its beginning.
template <class Open>
SoundFile open_checked(const fs::path& path, const ByteSource& bytes, SF_INFO& info,
                       const Open& open) {
  require_whole(path.string(), bytes);
  const auto from_start = [&] {
    return open_or_fail(path, "cannot be read as audio: ", [&] {
      info = {};
      return open();
    });
  };
  SoundFile file = from_start();
  if (info.frames == SF_COUNT_MAX) {  // as an encoder into a pipe writes FLAC
    std::optional<int64_t> count = flac_length(bytes);
    if (!count) {
      count = count_samples(path, file.get(), info.channels);
      file.reset();
      file = from_start();
    }
    info.frames = *count;
  }
  if (info.frames <= 0) fail_about(path, "has no samples");
  if ((info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG) {
    info.frames = mp3_length(path.string(), bytes, info.frames);
  }
  return file;
}

}  // namespace

void fail_about(const fs::path& path, const std::string& reason) {
  throw DataError(path.string() + ": " + reason);
}

// Why opening fails stands in a global of the library, which every opening resets: so it is asked
// for again while no other thread opens anything.
SoundFile open_or_fail(const fs::path& path, const char* failure,
                       const std::function<SoundFile()>& open) {
  static std::shared_mutex opening;
  {
    const std::shared_lock beside_others(opening);
    if (SoundFile file = open()) return file;
  }
  const std::unique_lock alone(opening);
  if (SoundFile file = open()) return file;
  std::string reason = ::sf_strerror(nullptr);
  while (!reason.empty() && (reason.back() == '.' || reason.back() == '\n')) reason.pop_back();
  fail_about(path, failure + reason);
}

SoundFile open_to_read(const fs::path& path, SF_INFO& info) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail_about(path, "does not exist");
  if (fs::is_directory(status)) fail_about(path, "is a directory, not an audio file");
  // Opening a pipe that nobody writes to would wait for ever.
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    fail_about(path, "is a pipe or a device, not an audio file");
  }
  const auto size = static_cast<int64_t>(fs::file_size(path, error));
  if (!error && size == 0) fail_about(path, "is an empty file");
  if (::access(path.c_str(), R_OK) != 0) {
    fail_about(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  std::ifstream in(path, std::ios::binary);
  const auto read = [&](int64_t offset, int64_t count) {
    std::string bytes(static_cast<size_t>(count), '\0');
    in.clear();
    in.seekg(offset);
    in.read(bytes.data(), count);
    bytes.resize(static_cast<size_t>(in.gcount()));
    return bytes;
  };
  return open_checked(path, {size, read}, info,
                      [&] { return SoundFile(::sf_open(path.c_str(), SFM_READ, &info)); });
}

SoundFile open_memory(MemoryFile& memory, const fs::path& name, SF_INFO& info) {
  const std::string_view bytes = memory.bytes();
  if (bytes.empty()) fail_about(name, "is an empty file");
  const auto read = [&](int64_t offset, int64_t count) {
    return std::string(bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(count)));
  };
  return open_checked(name, {static_cast<int64_t>(bytes.size()), read}, info,
                      [&] { return memory.open(SFM_READ, info); });
}

void require_finite(const fs::path& path, std::span<const float> samples, int64_t first_frame,
                    int channels) {
  const auto bad =
      std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
  if (bad == samples.end()) return;
  fail_about(path, format("sample %d is not a finite number (%s)",
                          first_frame + (bad - samples.begin()) / channels,
                          std::isnan(*bad) ? "nan" : "inf"));
}

int64_t put_samples(SNDFILE* file, std::span<const float> samples, int channels, int encoding) {
  const int bits = integer_bits(encoding);
  const bool is_kept = keeps_floats(encoding);
  std::vector<int> integers;
  std::vector<float> floats;
  int64_t clipped = 0;
  while (!samples.empty()) {
    const auto block =
        samples.first(std::min(samples.size(), static_cast<size_t>(kSoundBlock * channels)));
    const auto frames = static_cast<sf_count_t>(block.size()) / channels;
    sf_count_t written = 0;
    if (bits > 0) {
      clipped += quantize(block, bits, integers);
      written = ::sf_writef_int(file, integers.data(), frames);
    } else {
      if (!is_kept) clipped += clip(block, floats);
      written = ::sf_writef_float(file, is_kept ? block.data() : floats.data(), frames);
    }
    if (written != frames) return -1;
    samples = samples.subspan(block.size());
  }
  return clipped;
}

int close_written(SoundFile& file) {
  const int write_error = ::sf_error(file.get());
  const int close_error = ::sf_close(file.release());
  return write_error != 0 ? write_error : close_error;
}

}  // namespace limbeck
