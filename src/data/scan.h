#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/audio/waveform.h"

namespace limbeck {

/// Decodes the whole file. Throws DataError, also for another rate.
Waveform read_at_rate(const std::filesystem::path& path, int64_t rate_hz);

/// Path without extension, with '/' on every system.
std::string stem_of(const std::filesystem::path& relative);

/// At most `limit` of the names, one a line, then how many there are more.
std::string listed(const std::vector<std::string>& names, size_t limit = 20);

/// The reason in a message "path: reason".
std::string without_path(const std::string& message, const std::filesystem::path& path);

}  // namespace limbeck
