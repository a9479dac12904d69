#include "limbeck/audio/io.h"

#include <sndfile.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "audio/memory_file.h"
#include "audio/sound_file.h"
#include "limbeck/audio/encode.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// What a choice makes of one sample of all channels.
float chosen_of(std::span<const float> channels, const ChannelChoice& choice) {
  if (!choice.mix) return channels[static_cast<size_t>(choice.index.value_or(0))];
  float sum = channels[0];
  for (const float x : channels.subspan(1)) sum += x;
  return sum / static_cast<float>(channels.size());
}

/// Checks the segment against the file and returns its length.
int64_t chosen_count(const fs::path& path, const ReadOptions& options, const SF_INFO& info) {
  const int64_t left = info.frames - options.start;
  const int64_t count = options.count < 0 ? left : options.count;
  if (options.start < 0 || left <= 0 || count == 0 || count > left) {
    fail_about(path, format("has %d samples; %s from sample %d do not exist", info.frames,
                            options.count < 0 ? "those" : format("%d", count), options.start));
  }
  return count;
}

/// libsndfile's format.
int format_of(const fs::path& path, SampleFormat sample_format) {
  const std::string type = lower_extension(path);
  const int depth = sample_format == SampleFormat::pcm16   ? SF_FORMAT_PCM_16
                    : sample_format == SampleFormat::pcm24 ? SF_FORMAT_PCM_24
                                                           : SF_FORMAT_FLOAT;
  if (type == ".wav") return SF_FORMAT_WAV | depth;
  if (type == ".ogg") return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  if (type != ".flac") {
    throw ConfigError(path.string() + ": the extension must be .wav, .flac or .ogg");
  }
  if (sample_format == SampleFormat::float32) {
    throw ConfigError(path.string() +
                      ": FLAC stores no float samples; use pcm16 or pcm24, or .wav");
  }
  return SF_FORMAT_FLAC | depth;
}

}  // namespace

std::string ChannelChoice::text() const {
  return mix ? "mix" : index ? std::to_string(*index) : "";
}

ChannelChoice channel_choice(std::string_view text) {
  ChannelChoice choice;
  choice.mix = text == "mix";
  if (choice.mix) return choice;
  int number = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || number < 0) {
    throw ConfigError("'" + std::string(text) + "' is neither a channel's number, from 0, nor mix");
  }
  return number;
}

void require_channel(const fs::path& path, int channels, const ChannelChoice& choice) {
  if (!choice.is_made() && channels > 1) {
    fail_about(path, format("has %d channels where one was expected; limbeck-evaluate --channel "
                            "scores one of them, or their mean, and limbeck-prepare --audio-out "
                            "--channel makes copies of it",
                            channels));
  }
  if (choice.index && (*choice.index < 0 || *choice.index >= channels)) {
    fail_about(path,
               format("has no channel %d: it has %d, counted from 0", *choice.index, channels));
  }
}

SampleFormat sample_format(std::string_view name) {
  if (name == "pcm16") return SampleFormat::pcm16;
  if (name == "pcm24") return SampleFormat::pcm24;
  if (name == "float32") return SampleFormat::float32;
  throw ConfigError("unknown sample format '" + std::string(name) +
                    "'; known: pcm16, pcm24, float32");
}

AudioInfo audio_info(const fs::path& path) {
  SF_INFO info;
  open_to_read(path, info);
  return {info.frames, info.samplerate, info.channels};
}

namespace {

/// A frame of MP3 borrows from those before it: behind a jump it is heard to lack them, so that
/// such a file is decoded from its beginning.
void move_to(SNDFILE* file, const SF_INFO& info, const fs::path& path, int64_t start) {
  int64_t at = 0;
  if ((info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG) {
    at = start > 0 ? ::sf_seek(file, start, SEEK_SET) : 0;
  } else {
    std::vector<float> skipped(static_cast<size_t>(std::min(start, kSoundBlock) * info.channels));
    for (int64_t got = 1; at < start && got > 0; at += got) {
      got = ::sf_readf_float(file, skipped.data(), std::min(kSoundBlock, start - at));
    }
  }
  if (at != start) fail_about(path, format("cannot be read from sample %d on", start));
}

Waveform read_from(SNDFILE* file, const SF_INFO& info, const fs::path& path,
                   const ReadOptions& options) {
  require_channel(path, info.channels, options.channel);
  const int64_t count = chosen_count(path, options, info);
  move_to(file, info, path, options.start);
  Waveform waveform;
  waveform.rate_hz = info.samplerate;
  waveform.samples.reserve(static_cast<size_t>(std::min(count, kSoundBlock * 64)));
  std::vector<float> block(static_cast<size_t>(std::min(count, kSoundBlock) * info.channels));
  while (waveform.size() < count) {
    const int64_t asked = std::min(kSoundBlock, count - waveform.size());
    const int64_t got = ::sf_readf_float(file, block.data(), asked);
    for (int64_t i = 0; i < got; ++i) {
      const auto channels = static_cast<size_t>(info.channels);
      const auto frame = std::span(block).subspan(static_cast<size_t>(i) * channels, channels);
      waveform.samples.push_back(chosen_of(frame, options.channel));
    }
    if (got < asked) {
      fail_about(path, format("ends after %d of its %d samples", options.start + waveform.size(),
                              info.frames));
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
    fail_about(path, format("lasts %s, which takes more memory than there is",
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
Encoded encode(const fs::path& path, const Waveform& waveform, SampleFormat sample_format) {
  SF_INFO info{};
  info.samplerate = waveform.rate_hz;
  info.channels = 1;
  info.format = format_of(path, sample_format);
  if (waveform.samples.empty()) fail_about(path, "cannot be written: there are no samples");
  require_finite(path, waveform.samples, 0);

  MemoryFile memory;
  SoundFile file =
      open_or_fail(path, "cannot be written: ", [&] { return memory.open(SFM_WRITE, info); });
  // A float WAV would otherwise hold a chunk with the time of writing: same samples, other bytes.
  ::sf_command(file.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  const int64_t clipped =
      put_samples(file.get(), waveform.samples, 1, info.format & SF_FORMAT_SUBMASK);
  const int error = close_written(file);
  if (clipped < 0 || error != 0) {
    fail_about(path, std::string("cannot be written: ") + ::sf_error_number(error));
  }
  MemoryFile encoded(memory.bytes());
  SF_INFO kept;
  open_memory(encoded, path, kept);
  if (kept.frames != waveform.size()) {
    fail_about(path, format("cannot be written: a file of this type holds %d of the %d samples",
                            static_cast<int64_t>(kept.frames), waveform.size()));
  }
  return {std::string(memory.bytes()), clipped};
}

}  // namespace

int64_t write_audio(const fs::path& path, const Waveform& waveform, SampleFormat sample_format) {
  const Encoded encoded = encode(path, waveform, sample_format);
  write_file_atomically(path, encoded.bytes, /*sync=*/false);
  return encoded.clipped;
}

std::string wav_bytes(const Waveform& waveform, SampleFormat sample_format) {
  return encode("audio.wav", waveform, sample_format).bytes;
}

}  // namespace limbeck
