#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/audio/io.h"
#include "limbeck/core/log.h"
#include "limbeck/data/selection.h"

namespace limbeck {

/// A file that something names, and what is said of it (0: nothing).
struct NamedFile {
  std::filesystem::path path;
  int64_t samples = 0;
  int rate_hz = 0;
  ChannelChoice channel = {};
};

/// Adds recordings, and both sides of pairs.
void add_files(const std::vector<ManifestEntry>& entries, std::vector<NamedFile>& files);
void add_files(const SplitEntries& part, std::vector<NamedFile>& files);

/// Opens each file once and reads its header; nothing is decoded. Throws DataError that names those
/// that are not there, cannot be read, have another length or rate than is said, or several
/// channels of which none is chosen; Interrupted.
void require_files(const std::vector<NamedFile>& files, Logger& logger);

/// The files that validation reads, of all sets.
std::vector<NamedFile> validation_files(const DataSelection& data);

/// The files that training and validation read.
std::vector<NamedFile> files_of(const DataOptions& options, const DataSelection& data);

/// Tells `logger` what is passed over (find_audio) in the folders of impulse responses that
/// training and validation search, which they do in silence. Throws DataError, Interrupted.
void tell_of_response_folders(const DataOptions& options, Logger& logger);

/// What is wrong with entries of a role of which none is to be heard.
std::string silence_text(const std::string& source, Split split, Role role, size_t entries);

/// Throws DataError where all speech or all noise of the split is silent, or of each pair the clean
/// side is, or the noisy side is the same. Decodes recordings until one is heard; those that cannot
/// be read are left to whoever needs them.
void require_sound(const DataSelection& data, Split split);

}  // namespace limbeck
