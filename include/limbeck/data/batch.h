#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/data/dataset.h"

namespace limbeck {

/// Where in training an example comes, from which it is made again (`Dataset::get`).
struct Draw {
  int64_t epoch = 0;  ///< from 0; of batches that come again, the first in which they came
  int64_t index = 0;  ///< in the data set; where that could not be read, another took its place
  uint64_t key = 0;   ///< of the SeedKey
};

/// Examples one after the other, padded with zeros to one length.
struct Batch {
  int64_t size = 0;                    ///< B
  int64_t samples = 0;                 ///< L
  std::vector<float> noisy;            ///< [B, L], row-major
  std::vector<float> clean;            ///< [B, L], row-major
  std::vector<int64_t> valid_samples;  ///< [B]; what follows takes no part in any loss
  std::vector<Recipe> recipes;         ///< [B]
  std::vector<Draw> draws;             ///< [B], of a Loader
};

/// Pads to `segment_samples`, or to the longest example where that is 0. Throws std::logic_error
/// for a longer example, or one whose sides differ in length.
Batch collate(std::vector<Example> examples, int64_t segment_samples);

}  // namespace limbeck
