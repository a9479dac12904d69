#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/core/error.h"

namespace limbeck {

enum class Split { train, valid, test };

const char* split_name(Split split);
/// "train", "valid" or "test"; false for another word.
bool parse_split(std::string_view text, Split& split);

/// A file and the hash of what it decodes to (`hash_audio`).
struct AudioFile {
  std::filesystem::path path;
  std::string hash;
  int64_t cut = 0;  ///< samples at its end that are not used: the other side of the pair lacks them
};

/// XXH3-128 of the decoded samples as 32-bit floats: the same for a WAV file and its FLAC copy.
std::string hash_audio(const std::vector<float>& samples);

/// A file that holds something else than its manifest says.
class ChangedFile : public DataError {
 public:
  using DataError::DataError;
};

/// Throws ChangedFile if `samples`, decoded from the file, are not those that were hashed. Lossy
/// files pass: their decoders may differ in the last bit between machines.
void require_hash(const AudioFile& file, const std::vector<float>& samples);

struct ManifestEntry {
  std::string id;
  AudioFile audio;  ///< the recording; of a pair, its clean side
  AudioFile noisy;  ///< of a pair, its noisy side
  std::string speaker;
  Split split = Split::train;
  int64_t samples = 0;
  int rate_hz = 0;
  std::vector<std::string> extra;  ///< values of `Manifest::extra_columns`

  /// Length of one of its files.
  int64_t samples_of(const AudioFile& file) const { return samples + file.cut; }
};

/// What is in a data set: a CSV file with a header row, in one of two kinds told apart by their
/// columns,
///
///     id,path,speaker,split,samples,rate,hash                                    recordings
///     id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash            pairs
///
/// in any order. Pairs of unequal lengths (largest_length_difference) have the columns `clean_cut`
/// and `noisy_cut` too: by how many samples a file is longer than the pair. Other columns are kept.
/// Paths are relative to the folder of the manifest.
struct Manifest {
  enum class Kind { recordings, pairs };

  Kind kind = Kind::recordings;
  std::filesystem::path path;  ///< where it was read from; for messages
  std::vector<ManifestEntry> entries;
  std::vector<std::string> extra_columns;

  /// Checks everything but the audio files, which are looked at when they are used. Throws
  /// DataError as `file:line: reason`: missing or repeated column, empty or repeated id, bad
  /// number, split or hash.
  static Manifest read(const std::filesystem::path& path);

  /// Replaces the file at once. Paths become relative to its folder unless they share only the
  /// root.
  void write(const std::filesystem::path& path) const;

  Manifest filter(Split split) const;

  /// Hash of what the entries hold, not of where the files lie: moving a data set does not change
  /// it.
  std::string content_hash() const;

  double seconds() const;
};

}  // namespace limbeck
