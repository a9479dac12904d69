#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/batch.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

/// One of a fixed set of examples.
struct FixedItem {
  int64_t index;  ///< in the data set
  SeedKey key;
  int64_t samples;
};

/// `count` of the examples that `seed` names; 0: every item once. Their keys have nothing in common
/// with those of training, whatever its seed.
std::vector<FixedItem> fixed_items(const Dataset& dataset, int64_t count, uint64_t seed);

/// Fixed examples in batches of like length: no batch is padded by more than a tenth. One of more
/// than 30 s becomes several of like length, so that no recording is too long for the memory that
/// training needs anyway, or for who waits to interrupt it.
class ValidationSet {
 public:
  static constexpr int64_t kLongestSeconds = 30;

  /// The examples of `fixed_items`.
  ValidationSet(std::unique_ptr<const Dataset> dataset, int64_t count, uint64_t seed,
                int64_t batch_size);

  int64_t size() const { return static_cast<int64_t>(items_.size()); }
  int rate_hz() const { return dataset_->rate_hz(); }
  int64_t batches() const { return static_cast<int64_t>(starts_.size()) - 1; }
  /// Throws DataError naming the file.
  Batch batch(int64_t number) const;
  /// A batch of one: example `number` in the order of their length. Throws as above.
  Batch example(int64_t number) const;
  /// Share of the samples in all batches that is padding.
  double padding() const;

 private:
  /// An example, or a part of it.
  struct Part {
    FixedItem item;
    int64_t start;
    int64_t samples;
  };

  Example read(const Part& part) const;

  std::unique_ptr<const Dataset> dataset_;
  std::vector<Part> items_;     // in the order of their length
  std::vector<size_t> starts_;  // of the batches, and the end of the last
};

struct NamedValidationSet {
  std::string name;  ///< empty: the main one
  ValidationSet set;
};

}  // namespace limbeck
