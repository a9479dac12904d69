#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/nn/enhance.h"

namespace limbeck {

/// Estimates of a batch of utterances, each as long as its input. Throws DataError for another rate
/// than the model's and where there is not memory enough for one utterance, ConfigError where there
/// is not for several.
std::vector<std::vector<float>> estimates_of(const nn::Enhancer& enhancer,
                                             const std::vector<std::vector<float>>& noisy,
                                             int rate_hz);

/// Items of one frame count in batches of `size` at most (1 on a CPU), longest first. `samples`:
/// length of each item.
std::vector<std::vector<size_t>> batches_for(const nn::Enhancer& enhancer,
                                             const std::vector<int64_t>& samples, int64_t size);

}  // namespace limbeck
