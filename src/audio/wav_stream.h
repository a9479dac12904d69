#pragma once

#include <cstdint>
#include <string>

#include "limbeck/audio/stream_reader.h"

namespace limbeck {

/// The encoding (libsndfile's subtype) of raw samples; checks rate and channels. Throws ConfigError.
int raw_encoding(const RawFormat& raw);

/// What stands before the samples of a WAV stream.
struct WavHead {
  StreamInfo info;
  int64_t data_bytes = -1;  ///< as stated; −1: all that follows
};

/// Reads up to the first sample, and not beyond: RIFF and RF64, with chunks that say nothing to us
/// skipped. Throws DataError that begins with `name`: nothing comes, no WAV, samples of a kind that
/// pcm.h does not know, cut short.
WavHead read_wav_head(int descriptor, const std::string& name);

/// A WAV file up to its first sample, of unknown length, as ffmpeg writes it into a pipe. The
/// encoding is one that pcm.h knows.
std::string wav_head(const StreamInfo& info);

}  // namespace limbeck
