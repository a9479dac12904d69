#pragma once

#include <cstdint>
#include <filesystem>

#include "limbeck/core/log.h"
#include "limbeck/data/options.h"

namespace limbeck {

struct PreviewOptions {
  int64_t count = 8;
  int64_t batch_size = 8;  ///< of training: augmentation works on batches
  uint64_t seed = 1;       ///< of training
  std::filesystem::path out = "preview";
};

/// Writes the first `count` examples of a training run with this seed, exactly as the loader gives
/// them, into the folder `out`: NN_noisy.wav, NN_clean.wav (32-bit float), their spectrograms
/// NN_noisy.png, NN_clean.png, and index.html, which shows and plays them and says of what each was
/// made. Throws DataError, and Interrupted between examples; index.html comes last.
void write_preview(const DataOptions& data, const PreviewOptions& options, Logger& logger);

}  // namespace limbeck
