#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/enhance/recording.h"

namespace limbeck {

/// What limbeck-enhance is told.
struct EnhanceConfig {
  std::string model;                ///< run folder, checkpoint folder or model file
  std::string which = "best";       ///< checkpoint of a run folder: best or last
  std::vector<std::string> inputs;  ///< files and folders; "-" alone: standard input
  std::string out;                  ///< folder; "-": standard output
  std::string format;               ///< type of the files that are written; empty: of each input
  std::string raw;                  ///< RATE,CHANNELS,FORMAT of raw samples; empty: WAV
  std::string device = "auto";
  int64_t jobs = 0;  ///< files at once; 0: one a core
  RecordingOptions recording;
  bool force = false;          ///< existing files are replaced
  bool skip_existing = false;  ///< what has a result is passed over
  bool json = false;           ///< a summary on standard output
};

/// Denoises files into a folder, or a stream. A file that cannot be denoised is told of, and the
/// rest is done; every file that is written is whole, or not there. Files do not depend on `jobs`.
///
/// Returns `some_failed` if some could not be denoised. Throws ConfigError, DataError (nothing
/// could be denoised; what is written finds no room), CheckpointError, Interrupted.
ExitCode run_enhancement(const EnhanceConfig& config, Logger& logger);

}  // namespace limbeck
