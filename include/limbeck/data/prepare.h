#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

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

/// A file that could not be taken, and why.
struct Problem {
  std::string file;
  std::string reason;
};

struct Prepared {
  Manifest manifest;
  std::vector<Problem> problems;
};

struct RecordingsOptions {
  std::vector<std::filesystem::path> folders;
  /// CSV with columns `file` (relative to the CSV's folder) and `split`, and `speaker` or `label`
  /// for the speaker where `speaker` below is automatic. Empty: not used.
  std::filesystem::path splits;
  /// Draw speakers for valid and test; the others are train.
  bool split_by_speaker = false;
  int64_t valid_speakers = 0;
  int64_t test_speakers = 0;
  int64_t seed = 1;
  SpeakerRule speaker = SpeakerRule::automatic;
  int64_t rate_hz = 16000;
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// A manifest of all recordings below the folders; every file is decoded and hashed. Ids are paths
/// below the folder without extension, with the folder's name in front if there are several
/// folders. Files that cannot be used (unreadable, several channels, another rate) are left out and
/// returned as problems.
///
/// Throws DataError: no file found, two files of one id, a file without a row in `splits` (all are
/// listed), a wrong split; ConfigError: both ways of splitting, or no speaker left for train.
Prepared prepare_recordings(const RecordingsOptions& options, Logger& logger);

struct PairsOptions {
  std::filesystem::path clean;
  std::filesystem::path noisy;
  Split split = Split::test;
  SpeakerRule speaker = SpeakerRule::automatic;
  int64_t rate_hz = 16000;
  int64_t threads = 0;
};

/// A manifest of the files that have the same path, but for the extension, below both folders.
/// Problems: no partner, two candidates, unequal lengths, another rate, unreadable.
Prepared prepare_pairs(const PairsOptions& options, Logger& logger);

/// "176 recordings, 128 speakers, 33 min 12 s: train 24 min 05 s, valid …"
std::string summary(const Manifest& manifest);

}  // namespace limbeck
