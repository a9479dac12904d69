#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

class AudioStore;

/// A noisy signal and the clean one it was made of, of the same length.
struct Example {
  std::string id;
  std::vector<float> noisy;
  std::vector<float> clean;
  int64_t valid_samples = 0;  ///< what follows is padding and takes no part in any loss
};

/// Items that become examples. `get` is a pure function of its arguments and may be called by many
/// threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  /// Length of every example.
  virtual int64_t segment_samples() const = 0;
  /// `index` in [0, size()); `key` decides every draw. Throws DataError naming the file.
  virtual Example get(int64_t index, SeedKey key) const = 0;
};

/// Segments of recorded pairs, at the same place in both. A pair shorter than the segment stands at
/// the beginning, zeros follow, and `valid_samples` says where they begin.
class PairDataset : public Dataset {
 public:
  /// Throws DataError if `entries` is empty.
  PairDataset(std::vector<ManifestEntry> entries, int64_t segment_samples,
              std::shared_ptr<const AudioStore> store);
  int64_t size() const override;
  int64_t segment_samples() const override { return segment_; }
  Example get(int64_t index, SeedKey key) const override;

 private:
  std::vector<ManifestEntry> entries_;
  int64_t segment_;
  std::shared_ptr<const AudioStore> store_;
};

}  // namespace limbeck
