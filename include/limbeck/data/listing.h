#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

/// Where the speaker of a file is read from.
enum class SpeakerRule {
  /// The outermost folder, from the scanned one down, whose name the file name begins with, as in
  /// SPEAKER/CHAPTER/SPEAKER-CHAPTER-0001.flac; else `prefix` for a file directly in the scanned
  /// folder, `folder` for one in a folder of that, and nothing for one further below: a guess would
  /// make one speaker two.
  automatic,
  folder,  ///< name of the folder that holds the file
  top,     ///< name of the first folder below the scanned one
  prefix,  ///< file name up to the first '_' or '-'
  none,    ///< left empty
};

/// "auto", "folder", "top", "prefix" or "none". Throws ConfigError for another name.
SpeakerRule speaker_rule(std::string_view name);

/// Speaker of the file at `relative`, seen from the scanned folder `root`; empty: not known.
std::string speaker_of(const std::filesystem::path& relative, const std::filesystem::path& root,
                       SpeakerRule rule);

/// `speaker`, but for a chapter that is taken for one: of 26/495/26-495-0001.flac and "495", "26".
std::string without_chapter(const std::filesystem::path& file, const std::string& speaker);

/// Path without extension, with '/' on every system.
std::string stem_of(const std::filesystem::path& relative);

/// A file that could not be taken, and why.
struct Problem {
  std::string file;
  std::string reason;
};

/// What was found, what of it could not be taken, and what was, but is odd.
struct Listing {
  Manifest manifest;
  std::vector<Problem> problems;
  std::vector<Problem> oddities;
};

/// Entries with id, path and speaker of all recordings below the folders; nothing is decoded. Ids
/// are paths below the folder without extension; if there are several folders, with the folder's
/// name in front, and as much of the path before it as tells it from folders of the same name.
/// Lossy files beside lossless ones of their name are left out (find_audio). Throws DataError: no
/// file found, two files of one id, a folder that lies in another one; Interrupted.
std::vector<ManifestEntry> find_recordings(const std::vector<std::filesystem::path>& folders,
                                           SpeakerRule rule, Logger* logger = nullptr);

/// "is silent …" or "has a mean of …"; empty: nothing is odd about a recording of these samples.
std::string oddity_of(const std::vector<float>& samples);

/// Adds what is odd about a file, if anything.
void add_oddity(const std::filesystem::path& file, const std::vector<float>& samples,
                std::vector<Problem>& oddities);

/// Decodes an entry's recording and notes length, rate and hash; gives what is odd about it. Throws
/// DataError.
std::vector<Problem> measure_recording(ManifestEntry& entry, int64_t rate_hz);

/// Runs `measure`, which gives what is odd, on every entry, on `threads` threads (0: one a core);
/// those for which it throws DataError or lacks memory are left out and become problems.
Listing measure_all(Manifest::Kind kind, std::vector<ManifestEntry> entries, int64_t threads,
                    Logger& logger,
                    const std::function<std::vector<Problem>(ManifestEntry&)>& measure);

/// "176 recordings, 128 speakers, 33 min 12 s: train 24 min 05 s, valid …"
std::string summary(const Manifest& manifest);

}  // namespace limbeck
