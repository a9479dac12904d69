#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/recipe.h"

namespace limbeck {

/// A noisy signal and the clean one under it, of the same length.
struct Example {
  Recipe recipe;
  std::vector<float> noisy;
  std::vector<float> clean;
  std::string silent = {};  ///< "speech a/b" or "noise c", where nothing is to be heard
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

}  // namespace limbeck
