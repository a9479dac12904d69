#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/recipe.h"

namespace limbeck {

class AudioStore;
class Segments;

/// A noisy signal and the clean one under it, of the same length.
struct Example {
  Recipe recipe;
  std::vector<float> noisy;
  std::vector<float> clean;
};

/// Items that become examples. `get` is a pure function of its arguments and may be called by many
/// threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual int rate_hz() const = 0;
  /// Length to which examples are padded in a batch; 0: each is as long as its recording.
  virtual int64_t segment_samples() const = 0;
  /// Length of the example that an item becomes, known without reading audio.
  virtual int64_t samples(int64_t index) const = 0;
  /// `index` in [0, size()); `key` decides every draw. Throws DataError naming the file.
  virtual Example get(int64_t index, SeedKey key) const = 0;
};

/// What becomes of recordings that are shorter than a segment.
enum class ShortItems {
  pad,         ///< the example is as short; padding follows in the batch, and a mask
  repeat,      ///< from a drawn place on, round and round
  concatenate  ///< others of the same speaker follow; itself, where no speaker is known
};

/// "pad", "repeat" or "concatenate". Throws ConfigError for another name.
ShortItems short_items(std::string_view name);

/// Segments of recorded pairs, at the same place in both.
class PairDataset : public Dataset {
 public:
  /// Throws DataError if `entries` is empty.
  PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples, ShortItems short_items,
              std::shared_ptr<const AudioStore> store);
  ~PairDataset() override;
  int64_t size() const override;
  int rate_hz() const override;
  int64_t segment_samples() const override { return segment_; }
  int64_t samples(int64_t index) const override;
  Example get(int64_t index, SeedKey key) const override;

 private:
  std::unique_ptr<const Segments> pairs_;
  int64_t segment_;
  ShortItems short_items_;
};

}  // namespace limbeck
