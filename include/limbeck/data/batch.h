#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/data/dataset.h"

namespace limbeck {

/// Examples one after the other, padded with zeros to one length.
struct Batch {
  int64_t size = 0;                    ///< B
  int64_t samples = 0;                 ///< L
  std::vector<float> noisy;            ///< [B, L], row-major
  std::vector<float> clean;            ///< [B, L], row-major
  std::vector<int64_t> valid_samples;  ///< [B]; what follows takes no part in any loss
  std::vector<Recipe> recipes;         ///< [B]
};

/// Pads to `segment_samples`, or to the longest example where that is 0. Throws std::logic_error
/// for a longer example, or one whose sides differ in length.
Batch collate(std::vector<Example> examples, int64_t segment_samples);

}  // namespace limbeck
