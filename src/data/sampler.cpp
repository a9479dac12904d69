#include "data/sampler.h"

#include <stdexcept>

namespace limbeck {

EpochPlan::EpochPlan(SeedKey root, int64_t size) : root_(root), size_(size) {
  if (size <= 0) throw std::logic_error("EpochPlan: no items");
}

int64_t EpochPlan::index_at(int64_t position) {
  if (const int64_t epoch = epoch_of(position); epoch != epoch_) {
    order_ = permutation(size_, root_.with("order").with(static_cast<uint64_t>(epoch)));
    epoch_ = epoch;
  }
  return order_[static_cast<size_t>(offset_of(position))];
}

SeedKey EpochPlan::key_at(int64_t position) const {
  return root_.with("example")
      .with(static_cast<uint64_t>(epoch_of(position)))
      .with(static_cast<uint64_t>(offset_of(position)));
}

}  // namespace limbeck
