#pragma once

#include <filesystem>
#include <string>

namespace limbeck {

/// The absolute path without "." and "..", links left as they are. Throws DataError.
std::filesystem::path written_out(const std::filesystem::path& path);

/// Where a file lies: absolute, its folder without symbolic links. Its own name stays, whatever it
/// is a link to: stores of git-annex and DVC name what they hold by its hash. Throws DataError.
std::filesystem::path place_of(const std::filesystem::path& file);

/// False for what is not there or cannot be looked at, too: reading it says why.
bool is_folder(const std::filesystem::path& path);

/// Throws DataError that says why it is none.
void require_folder(const std::filesystem::path& path);

/// Makes a folder and those above it; "" is there already. Throws DataError.
void make_folder(const std::filesystem::path& path);

/// Throws DataError where a file cannot be written, now or once its folder is made: for who works
/// long before it is. Makes nothing.
void require_writable(const std::filesystem::path& file);

/// The absolute path of a folder that ends with its folder_name. Throws DataError.
std::filesystem::path folder_path(const std::filesystem::path& folder);

/// The name of a folder as it was given, a link's own; of "." and the like the name of what it is.
std::string folder_name(const std::filesystem::path& folder);

/// A file as it should stand in one that lies in `folder` (absolute, without symbolic links):
/// relative to that, with '/', unless they share only the root. Throws DataError.
std::string path_from(const std::filesystem::path& folder, const std::filesystem::path& file);

}  // namespace limbeck
