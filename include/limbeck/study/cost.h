#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/nn/model_config.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// A training that is still to be made, as far as its cost goes.
struct PlannedTraining {
  TrainingConfig config;
  std::optional<nn::ModelConfig> teacher = {};  ///< its network, where there are terms
  int64_t items = 0;         ///< of the training data (`Dataset::size`), for lengths in epochs
  int64_t steps_done = 0;    ///< before it is gone on with
  int64_t side_by_side = 1;  ///< so many like it run at a time
};

/// What trainings take on this machine.
struct StudyCost {
  int64_t trainings = 0;
  double seconds = 0;      ///< as they are planned, side by side; see `cost_text`
  double run_bytes = 0;    ///< of their folders
  double cache_bytes = 0;  ///< of what their teachers say, as far as max_gb lets it grow
};

/// Times a few steps of each kind of training, on random batches, with untrained networks and, for
/// caches, a folder for temporary files; trainings that differ in nothing that a step costs are
/// timed once. Reads no data, and writes nothing else. Sets LibTorch's threads. Throws ConfigError
/// (out of memory, too), Interrupted.
StudyCost estimate_cost(const std::vector<PlannedTraining>& trainings);

/// "24 trainings take about 3 h 20 min and 1.2 GB …", and what is not counted.
std::string cost_text(const StudyCost& cost);

}  // namespace limbeck
