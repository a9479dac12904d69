#pragma once

#include <string>

#include "limbeck/core/log.h"
#include "limbeck/train/config.h"

namespace limbeck {

struct SessionOptions {
  bool restart = false;        ///< remove what an earlier run left, and start over
  bool check_only = false;     ///< stop before the run folder is made
  bool extend = false;         ///< go on with a run that was planned for fewer steps
  std::string fork = {};       ///< run folder from whose checkpoint to begin; empty: none
  std::string which = "last";  ///< "last" or "best": which checkpoint that is
};

/// Checks everything (files included), opens the run folder and trains, or goes on where it was.
/// Throws ConfigError, DataError, CheckpointError, DivergenceError, Interrupted (after saving).
void run_training(const TrainingConfig& config, const SessionOptions& session, Logger& logger);

}  // namespace limbeck
