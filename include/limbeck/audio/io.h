#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "limbeck/audio/audio_path.h"
#include "limbeck/audio/waveform.h"

namespace limbeck {

struct AudioInfo {
  int64_t samples = 0;  ///< per channel
  int rate_hz = 0;
  int channels = 0;
};

/// Which channel is read: one by its number, the mean of all, or, where none is chosen, the only
/// one.
struct ChannelChoice {
  ChannelChoice() = default;
  ChannelChoice(int number) : index(number) {}  // NOLINT: meant to be implicit

  bool is_made() const { return index || mix; }
  /// "0", "1", …, "mix", or "" for none.
  std::string text() const;

  std::optional<int> index;  ///< from 0
  bool mix = false;          ///< the mean of all
};

/// Of a text "0", "1", … or "mix". Throws ConfigError for another.
ChannelChoice channel_choice(std::string_view text);

/// Throws DataError naming the file: several channels and none chosen, no such channel.
void require_channel(const std::filesystem::path& path, int channels, const ChannelChoice& choice);

struct ReadOptions {
  ChannelChoice channel;  ///< a file of several channels needs one
  int64_t start = 0;      ///< first sample
  int64_t count = -1;     ///< number of samples; −1 reads to the end
};

/// How samples are stored. Ogg (Vorbis) has one way only and ignores it; FLAC has no float.
enum class SampleFormat { pcm16, pcm24, float32 };

/// "pcm16", "pcm24" or "float32". Throws ConfigError for another name.
SampleFormat sample_format(std::string_view name);

/// What the file's header says. Throws DataError naming the file if it cannot be read or is empty.
AudioInfo audio_info(const std::filesystem::path& path);

/// One channel of a file that libsndfile reads, or a segment of it. Integer samples are divided by
/// their full scale, so 16-bit k reads as exactly k / 32768.
///
/// Throws DataError naming the file: unreadable, empty, cut short, several channels and none
/// chosen, no such channel, segment out of range, a sample that is not finite.
Waveform read_audio(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same for a file that is in memory; `name` stands for it in messages.
Waveform read_audio_bytes(std::string_view bytes, const std::string& name,
                          const ReadOptions& options = {});

/// Writes a file of the type that the extension names (.wav, .flac, .ogg) through a temporary
/// sibling, so that no reader sees half a file. What was read from 16 or 24 bits is written back
/// bit for bit. The same samples give the same bytes, but for Ogg, whose streams hold a random
/// number.
///
/// Returns how many samples lay beyond full scale and were clipped; float32 keeps them and returns
/// 0. Throws DataError if the file cannot be written, the waveform is empty or a sample is not
/// finite, and ConfigError for an unknown extension or a float FLAC.
int64_t write_audio(const std::filesystem::path& path, const Waveform& waveform,
                    SampleFormat sample_format = SampleFormat::pcm16);

}  // namespace limbeck
