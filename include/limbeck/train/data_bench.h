#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/train/config.h"

namespace limbeck {

/// How fast batches come with so many threads.
struct LoadingSpeed {
  int64_t workers = 0;
  double batches_per_second = 0;  ///< asked for one after the other, without training
  double audio_per_second = 0;    ///< seconds of segments in those
  double step_ms = 0;             ///< mean time of a training step, waiting included
  double wait_share = 0;          ///< of that time, spent waiting for the batch
  int64_t unreadable = 0;         ///< examples that had to be replaced
};

struct DataBench {
  std::vector<LoadingSpeed> speeds;
  int64_t steps = 0;  ///< measured, after a warm-up of a tenth
  int threads = 0;    ///< of LibTorch
  std::string device;
};

/// Times the loader of a configuration for each number of workers, on its own data: batches alone
/// for `seconds`, then `steps` training steps. Each starts with nothing in memory.
DataBench time_loading(const TrainingConfig& config, const std::vector<int64_t>& workers,
                       double seconds, int64_t steps);

}  // namespace limbeck
