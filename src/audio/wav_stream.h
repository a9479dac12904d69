#pragma once

#include <string>

#include "limbeck/audio/stream_reader.h"

namespace limbeck {

/// The encoding (libsndfile's subtype) of raw samples; checks rate and channels. Throws
/// ConfigError.
int raw_encoding(const RawFormat& raw);

/// Reads what stands before the samples of a WAV stream, up to the first sample, and not beyond:
/// RIFF and RF64, with chunks that say nothing to us skipped. `frames` is −1 where all that follows
/// belongs to it. Throws DataError that begins with `name`: nothing comes, no WAV, samples of a
/// kind that pcm.h does not know, cut short.
StreamInfo read_wav_head(int descriptor, const std::string& name);

/// A WAV file up to its first sample, of unknown length, as ffmpeg writes it into a pipe. The
/// encoding is one that pcm.h knows.
std::string wav_head(const StreamInfo& info);

}  // namespace limbeck
