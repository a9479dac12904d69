#pragma once

#include <cstdint>
#include <string>

#include "audio/whole.h"

namespace limbeck {

/// Samples per channel of an MP3 of which libsndfile says `frames`: it believes what the first
/// frame says of all, or guesses from its bit rate, and leaves out what comes beyond. A guess that
/// is a little too long is brought down to what the frames hold. Throws DataError that begins with
/// `name` where there are clearly more: files that were joined, or frames of varying size that
/// nobody counted. Goes through the frames' headers; nothing is decoded.
int64_t mp3_length(const std::string& name, const ByteSource& bytes, int64_t frames);

}  // namespace limbeck
