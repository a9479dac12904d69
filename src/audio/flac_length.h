#pragma once

#include <cstdint>
#include <optional>

#include "audio/whole.h"

namespace limbeck {

/// Samples per channel of a FLAC file whose header leaves that open, from its last frame, which
/// says where it stands: nothing is decoded. None where the file does not end with a whole frame.
/// Source: RFC 9639, section 9.
std::optional<int64_t> flac_length(const ByteSource& bytes);

}  // namespace limbeck
