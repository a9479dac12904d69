#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limbeck {

/// Where the file that is named after an id lies below its folder; '/' in an id makes folders.
std::filesystem::path path_of_id(const std::string& id, const std::string& suffix);

/// Throws DataError, starting with `source` and listing the ids, if one of them names no file of
/// its own below a folder: empty, absolute, with "..", or the file (or a folder of it) of another
/// id.
void require_paths_of_ids(const std::vector<std::string>& ids, const std::string& suffix,
                          const std::string& source);

/// Device and number of a file or folder, which all its names share.
using FileNumber = std::pair<uint64_t, uint64_t>;
/// Of what the path leads to; none where nothing is there.
std::optional<FileNumber> file_number(const std::filesystem::path& path);

/// Throws ConfigError if writing one of the files would replace one of the inputs, under whatever
/// name either is reached.
void require_inputs_kept(const std::vector<std::filesystem::path>& written,
                         const std::vector<std::filesystem::path>& inputs);

}  // namespace limbeck
