#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
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

/// Samples that both sides of a pair have. Throws DataError where they differ by more than
/// largest_length_difference() at their rate, which is one; `clean` and `noisy` name them.
int64_t common_length(const std::string& clean, const Waveform& clean_wave,
                      const std::string& noisy, const Waveform& noisy_wave);

/// "of 2 of 3 pairs, one side is longer …"; empty: none is cut.
std::string about_cuts(const std::vector<ManifestEntry>& pairs);

}  // namespace limbeck
