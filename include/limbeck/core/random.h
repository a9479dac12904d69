#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace limbeck {

/// Names one random stream: a hash of a root seed and the path that leads to its use, e.g.
/// `SeedKey(seed).with("mixture").with(epoch).with(index)`. The same path gives the same draws on
/// every machine, whatever was drawn elsewhere and by however many threads.
class SeedKey {
 public:
  explicit SeedKey(uint64_t root);
  SeedKey with(std::string_view purpose) const;
  SeedKey with(uint64_t index) const;
  uint64_t value() const { return value_; }

 private:
  uint64_t value_;
};

/// xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64 from a SeedKey. The draws below are
/// written out here because the distributions of <random> differ between standard libraries.
class Random {
 public:
  explicit Random(SeedKey key);
  uint64_t bits();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Uniform in {0 … count − 1}, without bias. `count` > 0.
  uint64_t below(uint64_t count);
  /// Standard normal (Box-Muller).
  double normal();

 private:
  uint64_t state_[4];
};

/// A uniformly drawn permutation of 0 … count − 1 (Fisher-Yates).
std::vector<int64_t> permutation(int64_t count, SeedKey key);

}  // namespace limbeck
