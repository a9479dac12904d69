#pragma once

#include <cstdint>
#include <vector>

#include "limbeck/core/random.h"

namespace limbeck {

/// In which order the items of a data set are visited: epoch after epoch, each in a permutation
/// that is a pure function of (root, epoch, size). Positions count on over the ends of epochs, so
/// that batches need not stop there. Remembers one permutation, so every thread has a plan of its
/// own.
class EpochPlan {
 public:
  /// `size` > 0.
  EpochPlan(SeedKey root, int64_t size);

  int64_t epoch_of(int64_t position) const { return position / size_; }
  int64_t offset_of(int64_t position) const { return position % size_; }
  int64_t index_at(int64_t position);
  /// Decides every draw for the example at a position: root/"example"/epoch/offset.
  SeedKey key_at(int64_t position) const;

 private:
  SeedKey root_;
  int64_t size_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace limbeck
