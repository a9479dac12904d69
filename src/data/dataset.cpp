#include "limbeck/data/dataset.h"

#include "data/segments.h"
#include "limbeck/core/error.h"

namespace limbeck {

ShortItems short_items(std::string_view name) {
  if (name == "pad") return ShortItems::pad;
  if (name == "repeat") return ShortItems::repeat;
  if (name == "concatenate") return ShortItems::concatenate;
  throw ConfigError("unknown way with short items '" + std::string(name) +
                    "'; known: pad, repeat, concatenate");
}

PairDataset::PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples,
                         ShortItems short_items, std::shared_ptr<const AudioStore> store)
    : segment_(segment_samples), short_items_(short_items) {
  if (entries.empty()) throw DataError("a data set of pairs needs at least one pair");
  pairs_ = std::make_unique<const Segments>(std::move(entries), std::move(store));
}

PairDataset::~PairDataset() = default;

int64_t PairDataset::size() const { return pairs_->size(); }

int PairDataset::rate_hz() const { return pairs_->store().rate_hz(); }

int64_t PairDataset::samples(int64_t index) const {
  return pairs_->samples(index, segment_, short_items_);
}

Example PairDataset::get(int64_t index, SeedKey key) const {
  Random random(key.with("start"));
  Example example;
  example.recipe.id = pairs_->entry(index).id;
  example.recipe.speech = pairs_->draw(index, segment_, short_items_, random);
  example.clean = pairs_->read(example.recipe.speech, Segments::Side::clean);
  example.noisy = pairs_->read(example.recipe.speech, Segments::Side::noisy);
  return example;
}

}  // namespace limbeck
