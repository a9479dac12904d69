#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/batch.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

/// A fixed set of examples in batches of like length: no batch is padded by more than a tenth. Its
/// keys have nothing in common with those of training, whatever its seed, so every run sees the
/// same.
class ValidationSet {
 public:
  /// `count` examples of the set that `seed` names; 0: every item once.
  ValidationSet(std::unique_ptr<const Dataset> dataset, int64_t count, uint64_t seed,
                int64_t batch_size);

  int64_t size() const { return static_cast<int64_t>(items_.size()); }
  int64_t batches() const { return static_cast<int64_t>(starts_.size()) - 1; }
  /// Throws DataError naming the file.
  Batch batch(int64_t number) const;
  /// Share of the samples in all batches that is padding.
  double padding() const;

 private:
  struct Item {
    int64_t index;
    SeedKey key;
    int64_t samples;
  };

  std::unique_ptr<const Dataset> dataset_;
  std::vector<Item> items_;     // in the order of their length
  std::vector<size_t> starts_;  // of the batches, and the end of the last
};

}  // namespace limbeck
