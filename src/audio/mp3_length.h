#pragma once

#include <cstdint>
#include <string>

#include "audio/whole.h"

namespace limbeck {

/// libsndfile believes the first frame of an MP3, or guesses from it, how long all is, and leaves
/// out what comes beyond. Throws DataError that begins with `name` where there are clearly more
/// than `frames` samples a channel: files that were joined, or frames of varying size that no frame
/// counts. Goes through the frames' headers; nothing is decoded.
void require_whole_mp3(const std::string& name, const ByteSource& bytes, int64_t frames);

}  // namespace limbeck
