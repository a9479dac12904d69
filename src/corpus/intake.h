#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "limbeck/audio/waveform.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {

/// Throws DataError if two ids would have one copy, or an id none, and ConfigError if a copy would
/// replace one of the files it is made of. `sides`: folders below that of the copies ("": itself).
void require_places(const std::vector<ManifestEntry>& entries, const CopyOptions& copies,
                    const std::vector<const char*>& sides);

/// Decodes a file that is to be listed, with the rate and the channel that are asked for. Throws
/// DataError: another rate, several channels, less than 1 ms, more than fits into memory.
Waveform take_in(const std::filesystem::path& path, int64_t rate_hz, const CopyOptions& copies);

/// `copies` may ask for a copy in `side` of what was taken in, which then takes the file's place.
/// Notes its hash, and what is odd about it. Throws DataError: it cannot be written, no memory.
void keep(AudioFile& file, Waveform wave, const std::string& id, const char* side,
          const CopyOptions& copies, std::vector<Problem>& oddities);

}  // namespace limbeck
