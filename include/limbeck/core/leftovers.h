#pragma once

#include <filesystem>
#include <vector>

namespace limbeck {

/// What processes that are gone left half made in a folder: what remove_stale_siblings
/// (core/files.h) would remove from it. Sorted. Never throws.
std::vector<std::filesystem::path> stale_entries(const std::filesystem::path& folder);

}  // namespace limbeck
