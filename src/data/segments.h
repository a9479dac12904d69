#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/audio_store.h"
#include "limbeck/core/random.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/recipe.h"

namespace limbeck {

/// What becomes of recordings that are shorter than a segment.
enum class ShortItems {
  pad,         ///< the example is as short; padding follows in the batch, and a mask
  repeat,      ///< from a drawn place on, round and round
  concatenate  ///< others of the same speaker follow; itself, where no speaker is known
};

/// "pad", "repeat" or "concatenate". Throws ConfigError for another name.
ShortItems short_items(std::string_view name);

/// Uniform in {0 … count − 1}.
int64_t draw_below(Random& random, int64_t count);

/// Throws DataError for an entry of another rate; `source` names where it is listed.
void require_rate(const std::vector<ManifestEntry>& entries, const std::string& source,
                  int64_t rate_hz);

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
