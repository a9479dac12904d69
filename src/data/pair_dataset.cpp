#include "data/pair_dataset.h"

#include "limbeck/audio/mix.h"
#include "limbeck/core/error.h"

namespace limbeck {

PairDataset::PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples,
                         ShortItems short_items, std::shared_ptr<const AudioStore> store,
                         std::vector<Corpus> corpora)
    : turns_(static_cast<int64_t>(entries.size()), std::move(corpora)),
      pairs_(std::move(entries), std::move(store)),
      segment_(segment_samples),
      short_items_(short_items) {
  if (pairs_.size() == 0) throw DataError("a data set of pairs needs at least one pair");
}

int64_t PairDataset::size() const { return turns_.items(); }

int PairDataset::rate_hz() const { return pairs_.store().rate_hz(); }

int64_t PairDataset::samples(int64_t index) const {
  return pairs_.samples(turns_.entry_of(index), segment_, short_items_);
}

Example PairDataset::get(int64_t item, SeedKey key) const {
  const int64_t index = turns_.entry_of(item);
  Random random(key.with("start"));
  Example example;
  example.recipe.id = pairs_.entry(index).id;
  example.recipe.speech = pairs_.draw(index, segment_, short_items_, random);
  example.clean = pairs_.read(example.recipe.speech, Segments::Side::clean);
  example.noisy = pairs_.read(example.recipe.speech, Segments::Side::noisy);
  if (example.noisy == example.clean) example.silent = "noise " + example.recipe.id;
  if (is_silent(example.clean)) example.silent = "speech " + example.recipe.id;
  return example;
}

}  // namespace limbeck
