#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/segments.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/several.h"

namespace limbeck {

/// Segments of recorded pairs, at the same place in both. Item i is pair i, or the one whose turn
/// it is where corpora have shares.
class PairDataset : public Dataset {
 public:
  /// Throws DataError if `entries` is empty.
  PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples, ShortItems short_items,
              std::shared_ptr<const AudioStore> store, std::vector<Corpus> corpora = {});
  int64_t size() const override;
  int rate_hz() const override;
  int64_t segment_samples() const override { return segment_; }
  int64_t samples(int64_t index) const override;
  Example get(int64_t item, SeedKey key) const override;

 private:
  Turns turns_;
  Segments pairs_;
  int64_t segment_;
  ShortItems short_items_;
};

}  // namespace limbeck
