#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/core/id_paths.h"
#include "limbeck/core/log.h"

namespace limbeck {

/// What lies below a folder, or in an archive. Paths in `audio` are relative to it, all others
/// begin with it.
struct FolderContents {
  std::vector<std::filesystem::path> audio;  ///< named as such (is_audio_path), sorted
  /// How many recordings of types that cannot be read (is_unread_audio_path), by extension.
  std::map<std::string, int64_t> unread;
  /// How many of all else: "hidden", "without extension" or the extension.
  std::map<std::string, int64_t> others;
  std::vector<std::string> repeated;  ///< links to folders that are searched by another name
  /// Folders that cannot be searched, and why.
  std::vector<std::pair<std::filesystem::path, std::string>> closed;

  /// Adds a file to `audio`, `unread` or `others`, by its name alone.
  void add(const std::filesystem::path& relative);
};

/// Goes through a folder; hidden files and folders are passed over, and so is the folder
/// `left_out`. Links are followed, but no folder is searched twice: under its own name, or else by
/// the first of the links to it. No file is opened. Throws Interrupted.
FolderContents search_folder(const std::filesystem::path& folder,
                             const std::optional<FileNumber>& left_out = {});

/// What of it is read: `audio` but for files of lossy types beside which a lossless one of the same
/// name lies, such as previews. `logger` is told how many these are, of recordings that cannot be
/// read, and of links that were not followed. `place` stands for it in messages. Throws DataError
/// if there is no audio, or a folder is closed.
std::vector<std::filesystem::path> choose_audio(FolderContents found,
                                                const std::filesystem::path& place, Logger* logger);

/// All audio files below `folder`, relative to it, sorted, as choose_audio chooses. Throws
/// DataError as that does, and if it is no folder or cannot be searched; Interrupted.
std::vector<std::filesystem::path> find_audio(const std::filesystem::path& folder,
                                              Logger* logger = nullptr);

}  // namespace limbeck
