#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "limbeck/data/audio_store.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

/// Uniform in {0 … count − 1}.
int64_t draw_below(Random& random, int64_t count);

/// Recordings or pairs, and the segments that are drawn from them.
class Segments {
 public:
  enum class Side { clean, noisy };  ///< of a pair; a recording is `clean`

  Segments(std::vector<ManifestEntry> entries, std::shared_ptr<const AudioStore> store);

  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  const ManifestEntry& entry(int64_t index) const {
    return entries_.at(static_cast<size_t>(index));
  }
  const AudioStore& store() const { return *store_; }

  /// Length of what `draw` gives.
  int64_t samples(int64_t index, int64_t length, ShortItems short_items) const;

  /// A segment of `length` samples of entry `index`, at a drawn place; 0: all of it.
  std::vector<Piece> draw(int64_t index, int64_t length, ShortItems short_items,
                          Random& random) const;

  bool contains(const std::string& id) const { return index_of_.contains(id); }
  const ManifestEntry& entry(const std::string& id) const { return entry(index_of_.at(id)); }

  /// The samples, one piece after the other. Throws DataError as AudioStore does.
  std::vector<float> read(const std::vector<Piece>& pieces, Side side = Side::clean) const;

 private:
  int64_t another_of_speaker(int64_t index, Random& random) const;

  std::vector<ManifestEntry> entries_;
  std::shared_ptr<const AudioStore> store_;
  std::unordered_map<std::string, int64_t> index_of_;
  std::map<std::string, std::vector<int64_t>> of_speaker_;
};

}  // namespace limbeck
