#include "limbeck/data/dataset.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/data/audio_store.h"

namespace limbeck {

PairDataset::PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples,
                         std::shared_ptr<const AudioStore> store)
    : entries_(std::move(entries)), segment_(segment_samples), store_(std::move(store)) {
  if (entries_.empty()) throw DataError("a data set of pairs needs at least one pair");
}

int64_t PairDataset::size() const { return static_cast<int64_t>(entries_.size()); }

Example PairDataset::get(int64_t index, SeedKey key) const {
  const ManifestEntry& entry = entries_.at(static_cast<size_t>(index));
  Example example;
  example.id = entry.id;
  example.valid_samples = std::min(segment_, entry.samples);
  const int64_t choices = entry.samples - example.valid_samples + 1;
  const auto start =
      static_cast<int64_t>(Random(key.with("start")).below(static_cast<uint64_t>(choices)));
  example.clean = store_->read(entry.audio, entry.samples, start, example.valid_samples);
  example.noisy = store_->read(entry.noisy, entry.samples, start, example.valid_samples);
  example.clean.resize(static_cast<size_t>(segment_));
  example.noisy.resize(static_cast<size_t>(segment_));
  return example;
}

}  // namespace limbeck
