#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/listing.h"

namespace limbeck {

struct RecordingsOptions {
  std::vector<std::filesystem::path> folders;
  /// CSVs with columns `file` (relative to the CSV's folder) and `split`, and `speaker` or `label`
  /// for the speaker where `speaker` below is automatic, all taken as one. Empty: not used.
  std::vector<std::filesystem::path> splits;
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
/// returned as problems; silent ones and those with a DC offset stay and are returned as oddities.
/// Files whose speaker neither folder nor name tells for sure have none, which is warned about.
///
/// Throws DataError: no file found, two files of one id, a file without a row in `splits` (all are
/// listed), a wrong split, two rows that
/// say different things of one file; ConfigError: both ways of splitting, a file without a speaker
/// to split by, or no speaker left for train.
Listing prepare_recordings(const RecordingsOptions& options, Logger& logger);

struct PairsOptions {
  std::filesystem::path clean;
  std::filesystem::path noisy;
  Split split = Split::test;
  SpeakerRule speaker = SpeakerRule::automatic;
  int64_t rate_hz = 16000;
  int64_t threads = 0;
};

/// A manifest of the files that have the same path, but for the extension, below both folders.
/// Problems: no partner, two candidates, unequal lengths, another rate, unreadable. Oddities and
/// speakers: as above.
Listing prepare_pairs(const PairsOptions& options, Logger& logger);

}  // namespace limbeck
