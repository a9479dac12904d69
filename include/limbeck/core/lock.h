#pragma once

#include <filesystem>

namespace limbeck {

/// Some process holds the DirectoryLock of the folder, this one included. False where that cannot
/// be told: on a file system without locks. Changes nothing. Throws DataError.
bool is_locked(const std::filesystem::path& directory);

}  // namespace limbeck
