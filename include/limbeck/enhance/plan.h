#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/audio/stream_reader.h"
#include "limbeck/core/log.h"

namespace limbeck {

/// What is to be denoised, and where the results go.
struct PlanOptions {
  std::vector<std::filesystem::path> inputs = {};  ///< files and folders
  std::filesystem::path out = {};                  ///< folder of the results
  std::string format = {};                       ///< type of the results; empty: that of each input
  bool force = false;                            ///< existing files are replaced
  bool skip_existing = false;                    ///< inputs whose results exist are passed over
  std::vector<std::filesystem::path> kept = {};  ///< what else is read, and must not be replaced
};

struct PlannedFile {
  std::filesystem::path input, output;
  StreamInfo read, written;

  double seconds() const { return static_cast<double>(read.frames) / read.rate_hz; }
};

/// What cannot be denoised.
struct FailedInput {
  std::filesystem::path input;
  std::string reason;
};

struct EnhancePlan {
  std::vector<PlannedFile> files;  ///< as they were named, within a folder sorted
  std::vector<FailedInput> failures;
  std::vector<std::filesystem::path> existing;  ///< results that were there, and are left alone
};

/// Finds the recordings, below folders (links are followed, but no folder is searched twice; hidden
/// files, what is no regular file, the folder of the results and names of other types are passed
/// over, which is said), and looks at their headers. The structure of a folder is kept below `out`,
/// without the folder's own name.
///
/// Nothing is written. What is unreadable, or can be read but not written, becomes a failure.
/// Throws ConfigError, naming the files: two inputs for one result, a result in place of an input
/// (under whatever name) or, without `force`, of any other file, an unknown format; DataError: a
/// folder of the results cannot be written to.
EnhancePlan plan_enhancement(const PlanOptions& options, Logger& logger);

}  // namespace limbeck
