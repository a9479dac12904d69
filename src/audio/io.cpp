#include "limbeck/audio/io.h"

#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <system_error>
#include <vector>

#include "audio/memory_file.h"
#include "audio/whole.h"
#include "limbeck/audio/encode.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

// Frames a call. libsndfile's Vorbis encoder keeps a whole call on the stack, and a header that
// lies about the length must not make us allocate what it says.
constexpr int64_t kBlock = 1 << 14;

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw DataError(path.string() + ": " + reason);
}

std::string extension(const fs::path& path) {
  std::string text = path.extension().string();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// `open()` by libsndfile. Why that fails stands in a global of the library, which every opening
/// resets: so it is asked for again while no other thread opens anything.
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
  fail(path, failure + reason);
}

/// Counts what is in a stream whose header leaves it open, as an encoder into a pipe writes FLAC.
int64_t count_samples(const fs::path& path, SNDFILE* file, int channels) {
  std::vector<float> block(static_cast<size_t>(kBlock * channels));
  int64_t count = 0;
  for (int64_t got = kBlock; got == kBlock; count += got) {
    got = ::sf_readf_float(file, block.data(), kBlock);
  }
  if (::sf_error(file) == 0) return count;
  fail(path, format("is damaged or cut short after %d samples: %s", count, ::sf_strerror(file)));
}

/// `open` opens the file from its beginning.
template <class Open>
SoundFile open_checked(const fs::path& path, SF_INFO& info, const Open& open) {
  const auto from_start = [&] {
    return open_or_fail(path, "cannot be read as audio: ", [&] {
      info = {};
      return open();
    });
  };
  SoundFile file = from_start();
  if (info.frames == SF_COUNT_MAX) {
    const int64_t count = count_samples(path, file.get(), info.channels);
    file.reset();
    file = from_start();
    info.frames = count;
  }
  if (info.frames <= 0) fail(path, "has no samples");
  return file;
}

SoundFile open_to_read(const fs::path& path, SF_INFO& info) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail(path, "does not exist");
  if (fs::is_directory(status)) fail(path, "is a directory, not an audio file");
  if (fs::is_regular_file(status) && fs::file_size(path, error) == 0)
    fail(path, "is an empty file");
  if (::access(path.c_str(), R_OK) != 0) {
    fail(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  if (fs::is_regular_file(status)) {
    std::ifstream in(path, std::ios::binary);
    require_whole(path.string(), {static_cast<int64_t>(fs::file_size(path, error)),
                                  [&](int64_t offset, int64_t count) {
                                    std::string bytes(static_cast<size_t>(count), '\0');
                                    in.clear();
                                    in.seekg(offset);
                                    in.read(bytes.data(), count);
                                    bytes.resize(static_cast<size_t>(in.gcount()));
                                    return bytes;
                                  }});
  }
  return open_checked(path, info,
                      [&] { return SoundFile(::sf_open(path.c_str(), SFM_READ, &info)); });
}

SoundFile open_memory(MemoryFile& memory, const fs::path& name, SF_INFO& info) {
  const std::string_view bytes = memory.bytes();
  if (bytes.empty()) fail(name, "is an empty file");
  require_whole(
      name.string(),
      {static_cast<int64_t>(bytes.size()), [&](int64_t offset, int64_t count) {
         return std::string(bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(count)));
       }});
  return open_checked(name, info, [&] { return memory.open(SFM_READ, info); });
}

int chosen_channel(const fs::path& path, const ReadOptions& options, const SF_INFO& info) {
  if (!options.channel) {
    if (info.channels == 1) return 0;
    fail(path, format("has %d channels where one was expected; choose one", info.channels));
  }
  if (*options.channel < 0 || *options.channel >= info.channels) {
    fail(path,
         format("has no channel %d: it has %d, counted from 0", *options.channel, info.channels));
  }
  return *options.channel;
}

/// Checks the segment against the file and returns its length.
int64_t chosen_count(const fs::path& path, const ReadOptions& options, const SF_INFO& info) {
  const int64_t left = info.frames - options.start;
  const int64_t count = options.count < 0 ? left : options.count;
  if (options.start < 0 || left <= 0 || count == 0 || count > left) {
    fail(path, format("has %d samples; %s from sample %d do not exist", info.frames,
                      options.count < 0 ? "those" : format("%d", count), options.start));
  }
  return count;
}

void require_finite(const fs::path& path, const std::vector<float>& samples, int64_t first) {
  const auto bad =
      std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
  if (bad == samples.end()) return;
  fail(path, format("sample %d is not a finite number (%s)", first + (bad - samples.begin()),
                    std::isnan(*bad) ? "nan" : "inf"));
}

struct Target {
  int container;
  bool compressed;  ///< lossy: samples are given as float whatever the sample format
};

Target target_of(const fs::path& path, SampleFormat sample_format) {
  const std::string type = extension(path);
  const int depth = sample_format == SampleFormat::pcm16   ? SF_FORMAT_PCM_16
                    : sample_format == SampleFormat::pcm24 ? SF_FORMAT_PCM_24
                                                           : SF_FORMAT_FLOAT;
  if (type == ".wav") return {SF_FORMAT_WAV | depth, false};
  if (type == ".ogg") return {SF_FORMAT_OGG | SF_FORMAT_VORBIS, true};
  if (type != ".flac") {
    throw ConfigError(path.string() + ": the extension must be .wav, .flac or .ogg");
  }
  if (sample_format == SampleFormat::float32) {
    throw ConfigError(path.string() +
                      ": FLAC stores no float samples; use pcm16 or pcm24, or .wav");
  }
  return {SF_FORMAT_FLAC | depth, false};
}

/// Samples as integers of `bits` bits in the high bits of an int, which is how libsndfile takes
/// them. Done here because libsndfile multiplies floats by 32767 and divides by 32768.
int64_t quantize(const float* samples, int64_t count, int bits, std::vector<int>& out) {
  const double scale = std::ldexp(1.0, bits - 1);
  int64_t clipped = 0;
  out.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const double wanted = std::nearbyint(static_cast<double>(samples[i]) * scale);
    const double kept = std::clamp(wanted, -scale, scale - 1);
    clipped += kept != wanted;
    out[static_cast<size_t>(i)] = static_cast<int>(kept * std::ldexp(1.0, 32 - bits));
  }
  return clipped;
}

int64_t clip(const float* samples, int64_t count, std::vector<float>& out) {
  int64_t clipped = 0;
  out.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    out[static_cast<size_t>(i)] = std::clamp(samples[i], -1.0F, 1.0F);
    clipped += out[static_cast<size_t>(i)] != samples[i];
  }
  return clipped;
}

/// Writes all samples; returns how many were clipped, or −1 if the file refused some.
int64_t write_samples(SNDFILE* file, const Waveform& waveform, SampleFormat format,
                      bool compressed) {
  std::vector<int> integers;
  std::vector<float> floats;
  int64_t clipped = 0;
  for (int64_t at = 0; at < waveform.size(); at += kBlock) {
    const int64_t count = std::min(kBlock, waveform.size() - at);
    const float* samples = waveform.samples.data() + at;
    int64_t written = 0;
    if (compressed) {
      clipped += clip(samples, count, floats);
      written = ::sf_writef_float(file, floats.data(), count);
    } else if (format == SampleFormat::float32) {
      written = ::sf_writef_float(file, samples, count);
    } else {
      clipped += quantize(samples, count, format == SampleFormat::pcm16 ? 16 : 24, integers);
      written = ::sf_writef_int(file, integers.data(), count);
    }
    if (written != count) return -1;
  }
  return clipped;
}

}  // namespace

SampleFormat sample_format(std::string_view name) {
  if (name == "pcm16") return SampleFormat::pcm16;
  if (name == "pcm24") return SampleFormat::pcm24;
  if (name == "float32") return SampleFormat::float32;
  throw ConfigError("unknown sample format '" + std::string(name) +
                    "'; known: pcm16, pcm24, float32");
}

bool is_audio_path(const fs::path& path) {
  const std::string type = extension(path);
  return type == ".wav" || type == ".flac" || type == ".ogg";
}

AudioInfo audio_info(const fs::path& path) {
  SF_INFO info;
  open_to_read(path, info);
  return {info.frames, info.samplerate, info.channels};
}

namespace {

Waveform read_from(SNDFILE* file, const SF_INFO& info, const fs::path& path,
                   const ReadOptions& options) {
  const int channel = chosen_channel(path, options, info);
  const int64_t count = chosen_count(path, options, info);
  if (options.start > 0 && ::sf_seek(file, options.start, SEEK_SET) != options.start) {
    fail(path, format("cannot be read from sample %d on", options.start));
  }
  Waveform waveform;
  waveform.rate_hz = info.samplerate;
  waveform.samples.reserve(static_cast<size_t>(std::min(count, kBlock * 64)));
  std::vector<float> block(static_cast<size_t>(std::min(count, kBlock) * info.channels));
  while (waveform.size() < count) {
    const int64_t asked = std::min(kBlock, count - waveform.size());
    const int64_t got = ::sf_readf_float(file, block.data(), asked);
    for (int64_t i = 0; i < got; ++i) {
      waveform.samples.push_back(block[static_cast<size_t>(i * info.channels + channel)]);
    }
    if (got < asked) {
      fail(path,
           format("ends after %d of its %d samples", options.start + waveform.size(), info.frames));
    }
  }
  require_finite(path, waveform.samples, options.start);
  return waveform;
}

}  // namespace

Waveform read_audio(const fs::path& path, const ReadOptions& options) {
  SF_INFO info;
  const SoundFile file = open_to_read(path, info);
  try {
    return read_from(file.get(), info, path, options);
  } catch (const std::bad_alloc&) {
    fail(path, format("lasts %s, which takes more memory than there is",
                      duration_text(static_cast<double>(info.frames) / info.samplerate)));
  }
}

Waveform read_audio_bytes(std::string_view bytes, const std::string& name,
                          const ReadOptions& options) {
  SF_INFO info;
  MemoryFile memory(bytes);
  const SoundFile file = open_memory(memory, name, info);
  return read_from(file.get(), info, name, options);
}

namespace {

struct Encoded {
  std::string bytes;
  int64_t clipped = 0;  ///< samples beyond full scale
};

/// In memory, because libsndfile keeps silent when the last of a file cannot be written. `path`
/// stands for it in messages.
Encoded encode(const fs::path& path, const Target& target, const Waveform& waveform,
               SampleFormat sample_format) {
  if (waveform.samples.empty()) fail(path, "cannot be written: there are no samples");
  require_finite(path, waveform.samples, 0);

  SF_INFO info{};
  info.samplerate = waveform.rate_hz;
  info.channels = 1;
  info.format = target.container;
  MemoryFile memory;
  SoundFile file =
      open_or_fail(path, "cannot be written: ", [&] { return memory.open(SFM_WRITE, info); });
  // A float WAV would otherwise hold a chunk with the time of writing: same samples, other bytes.
  ::sf_command(file.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  const int64_t clipped = write_samples(file.get(), waveform, sample_format, target.compressed);
  const int write_error = ::sf_error(file.get());
  const int close_error = ::sf_close(file.release());
  if (clipped < 0 || write_error != 0 || close_error != 0) {
    fail(path, std::string("cannot be written: ") +
                   ::sf_error_number(write_error != 0 ? write_error : close_error));
  }
  MemoryFile encoded(memory.bytes());
  SF_INFO kept;
  open_memory(encoded, path, kept);
  if (kept.frames != waveform.size()) {
    fail(path, format("cannot be written: a file of this type holds %d of the %d samples",
                      static_cast<int64_t>(kept.frames), waveform.size()));
  }
  return {std::string(memory.bytes()), clipped};
}

}  // namespace

int64_t write_audio(const fs::path& path, const Waveform& waveform, SampleFormat sample_format) {
  const Encoded encoded = encode(path, target_of(path, sample_format), waveform, sample_format);
  write_file_atomically(path, encoded.bytes, /*sync=*/false);
  return encoded.clipped;
}

std::string wav_bytes(const Waveform& waveform, SampleFormat sample_format) {
  const fs::path name = "audio.wav";
  return encode(name, target_of(name, sample_format), waveform, sample_format).bytes;
}

}  // namespace limbeck
