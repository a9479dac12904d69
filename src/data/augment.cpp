#include "limbeck/data/augment.h"

#include <algorithm>
#include <span>

#include "limbeck/audio/mix.h"

namespace limbeck {
namespace {

struct Sides {
  std::span<float> noisy;
  std::span<float> clean;
};

/// Example `i` without its padding.
Sides sides_of(Batch& batch, int64_t i) {
  const auto first = static_cast<size_t>(i * batch.samples);
  const auto count = static_cast<size_t>(batch.valid_samples[static_cast<size_t>(i)]);
  return {std::span(batch.noisy).subspan(first, count),
          std::span(batch.clean).subspan(first, count)};
}

void remix(Batch& batch, SeedKey key) {
  std::vector<std::vector<float>> noises;
  for (int64_t i = 0; i < batch.size; ++i) {
    const Sides own = sides_of(batch, i);
    noises.emplace_back(own.noisy.begin(), own.noisy.end());
    for (size_t k = 0; k < own.clean.size(); ++k) noises.back()[k] -= own.clean[k];
  }
  const auto order = permutation(batch.size, key);
  for (int64_t i = 0; i < batch.size; ++i) {
    const auto from = static_cast<size_t>(order[static_cast<size_t>(i)]);
    if (from == static_cast<size_t>(i)) continue;
    const Sides own = sides_of(batch, i);
    const size_t common = std::min(noises[from].size(), own.clean.size());
    std::copy(own.clean.begin(), own.clean.end(), own.noisy.begin());
    for (size_t k = 0; k < common; ++k) own.noisy[k] += noises[from][k];
    batch.recipes[static_cast<size_t>(i)].noise_of = batch.recipes[from].id;
  }
}

Band draw_band(double widest, int rate_hz, Random& random) {
  const double width = random.uniform(0, widest);
  const double low = random.uniform(0, 1 - width);
  return mel_band(low, low + width, rate_hz);
}

}  // namespace

void AugmentOptions::describe(config::Visitor& v) {
  v.value("remix_probability", remix_probability,
          "share of the batches in which the noises change places", config::between(0, 1));
  v.value("band_mask_probability", band_mask_probability,
          "share of the examples that lose a band of frequencies", config::between(0, 1));
  v.value("band_mask_width", band_mask_width, "widest such band, as a share of the mel scale",
          config::between(0.001, 0.9));
}

void augment(Batch& batch, const AugmentOptions& options, int rate_hz, SeedKey key) {
  const bool remixes = Random(key.with("remix")).uniform() < options.remix_probability;
  if (remixes) remix(batch, key.with("remix order"));
  for (int64_t i = 0; i < batch.size; ++i) {
    Random random(key.with("band mask").with(static_cast<uint64_t>(i)));
    const bool masks = random.uniform() < options.band_mask_probability;
    const Sides own = sides_of(batch, i);
    if (masks) {
      Band& removed = batch.recipes[static_cast<size_t>(i)].removed;
      removed = draw_band(options.band_mask_width, rate_hz, random);
      remove_band(own.noisy, own.clean, rate_hz, removed);
    }
    if (remixes || masks) limit_peak(own.noisy, own.clean);
  }
}

}  // namespace limbeck
