#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {

/// What a check of a data set found.
struct Checkup {
  std::string subject;               ///< protocol or manifest that was checked
  std::vector<std::string> faults;   ///< of the set as a whole: it should not be used
  std::vector<Problem> problems;     ///< of single files
  std::vector<std::string> remarks;  ///< worth knowing, and nothing wrong
  int64_t entries = 0;
  int64_t files = 0;   ///< audio files that were decoded
  double seconds = 0;  ///< how much audio they hold
};

/// Checks a data set again, all of it: that each manifest can be read and is the one that the
/// protocol locked; that each audio file is there, decodes, and has the rate, the length and the
/// samples (by hash, but for lossy files) that the manifest says, both sides of a pair alike; that
/// splits share no file and test no speaker with the others (LibriSpeech's chapters are no
/// speakers); that something is to be heard in each split; that a set named voicebank-demand has
/// the counts and speakers of it and no file too much. Remarks name single silent files and those
/// with a DC offset.
///
/// `path` is a protocol, a folder that holds protocol.yaml, or a manifest (.csv). Throws DataError
/// or ConfigError if that cannot be read at all; Interrupted.
Checkup check_data(const std::filesystem::path& path, int64_t threads, Logger& logger);

}  // namespace limbeck
