#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "limbeck/audio/io.h"
#include "limbeck/core/log.h"
#include "limbeck/data/listing.h"

namespace limbeck {

/// Copies of what is listed: one channel, at the rate asked for, 16-bit FLAC without dither, named
/// by id. The manifest lists them in place of the originals.
struct CopyOptions {
  std::filesystem::path folder;  ///< empty: no copies, and none of what follows
  bool resample = false;         ///< take files of other rates, too
  ChannelChoice channel;         ///< of files of several channels
};

enum class SplitBy { nothing, speaker, file };

struct RecordingsOptions {
  std::vector<std::filesystem::path> folders;
  /// CSVs with columns `file` (relative to the CSV's folder) and `split`, and `speaker` or `label`
  /// for the speaker where `speaker` below is automatic, all taken as one. Empty: not used.
  std::vector<std::filesystem::path> splits;
  /// Draw speakers, or files, for valid and test; the others are train. What file is drawn depends
  /// on `seed` and its id, and little on what other files there are. Cuts of one recording may then
  /// lie on two sides, which nothing can see: that is warned about.
  SplitBy split_by = SplitBy::nothing;
  int64_t valid_count = 0;
  int64_t test_count = 0;
  int64_t seed = 1;
  SpeakerRule speaker = SpeakerRule::automatic;
  int64_t rate_hz = 16000;
  CopyOptions copies;
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// A manifest of all recordings below the folders; every file is decoded and hashed. Ids are paths
/// below the folder without extension, with what tells the folders apart in front if there are
/// several. Files that cannot be used (unreadable, several channels, another rate, less than 1 ms)
/// are left out and returned as problems; silent ones and those with a DC offset stay and are
/// returned as oddities. Files whose speaker neither folder nor name tells for sure have none,
/// which is warned about; so are rows of `splits` that name files that are not there.
///
/// Throws DataError: no file found, two files of one id, a file without a row in `splits` (all are
/// listed), a wrong split, two rows that say different things of one file; ConfigError: both ways
/// of splitting, a file without a speaker to split by, or nothing left for train.
Listing prepare_recordings(const RecordingsOptions& options, Logger& logger);

struct PairsOptions {
  std::filesystem::path clean;
  std::filesystem::path noisy;
  Split split = Split::test;
  SpeakerRule speaker = SpeakerRule::automatic;
  int64_t rate_hz = 16000;
  CopyOptions copies;  ///< in folders clean and noisy
  int64_t threads = 0;
};

/// A manifest of the files that have the same path, but for the extension, below both folders.
/// Problems: no partner, two candidates, lengths too different, another rate, unreadable. Where
/// lengths differ by no more than largest_length_difference(), the longer side is cut and named.
/// Oddities and speakers: as above.
Listing prepare_pairs(const PairsOptions& options, Logger& logger);

}  // namespace limbeck
