#include "limbeck/core/random.h"

#include <xxhash.h>

#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace limbeck {

SeedKey::SeedKey(uint64_t root) : value_(XXH3_64bits(&root, sizeof root)) {}

SeedKey SeedKey::with(std::string_view purpose) const {
  SeedKey key = *this;
  key.value_ = XXH3_64bits_withSeed(purpose.data(), purpose.size(), value_);
  return key;
}

SeedKey SeedKey::with(uint64_t index) const {
  SeedKey key = *this;
  key.value_ = XXH3_64bits_withSeed(&index, sizeof index, value_);
  return key;
}

Random::Random(SeedKey key) {
  uint64_t x = key.value();
  for (auto& word : state_) {  // splitmix64
    x += 0x9e3779b97f4a7c15;
    uint64_t z = x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::bits() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

uint64_t Random::below(uint64_t count) {
  // Draws above the largest multiple of `count` would favour small results.
  const uint64_t rejected = (0 - count) % count;
  uint64_t draw = bits();
  while (draw < rejected) draw = bits();
  return draw % count;
}

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::vector<int64_t> permutation(int64_t count, SeedKey key) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  Random random(key);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace limbeck
