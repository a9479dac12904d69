#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/audio/waveform.h"
#include "limbeck/core/log.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

/// Where the speaker of a file is read from.
enum class SpeakerRule {
  automatic,  ///< `folder` for files in a folder below the one that is scanned, else `prefix`
  folder,     ///< name of the folder that holds the file
  prefix,     ///< file name up to the first '_' or '-'
  none,       ///< left empty
};

/// "auto", "folder", "prefix" or "none". Throws ConfigError for another name.
SpeakerRule speaker_rule(std::string_view name);

/// Speaker of the file at `relative`, seen from the scanned folder `root`.
std::string speaker_of(const std::filesystem::path& relative, const std::filesystem::path& root,
                       SpeakerRule rule);

/// All .wav, .flac and .ogg files below `folder`, relative to it, sorted; hidden files and folders
/// are passed over. Throws DataError if it is no folder or holds none.
std::vector<std::filesystem::path> find_audio(const std::filesystem::path& folder);

/// Path without extension, with '/' on every system.
std::string stem_of(const std::filesystem::path& relative);

/// A file that could not be taken, and why.
struct Problem {
  std::string file;
  std::string reason;
};

/// What was found, and what of it could not be taken.
struct Listing {
  Manifest manifest;
  std::vector<Problem> problems;
};

/// Entries with id, path and speaker of all recordings below the folders; nothing is decoded. Ids
/// are paths below the folder without extension, with the folder's name in front if there are
/// several folders. Throws DataError: no file found, two files of one id.
std::vector<ManifestEntry> find_recordings(const std::vector<std::filesystem::path>& folders,
                                           SpeakerRule rule);

/// Decodes the whole file. Throws DataError, also for another rate.
Waveform read_at_rate(const std::filesystem::path& path, int64_t rate_hz);

/// Decodes an entry's recording and notes length, rate and hash. Throws DataError.
void measure_recording(ManifestEntry& entry, int64_t rate_hz);

/// Runs `measure` on every entry, on `threads` threads (0: one a core); those for which it throws
/// DataError are left out and become problems.
Listing measure_all(Manifest::Kind kind, std::vector<ManifestEntry> entries, int64_t threads,
                    Logger& logger, const std::function<void(ManifestEntry&)>& measure);

/// "176 recordings, 128 speakers, 33 min 12 s: train 24 min 05 s, valid …"
std::string summary(const Manifest& manifest);

}  // namespace limbeck
