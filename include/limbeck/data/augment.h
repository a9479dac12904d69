#pragma once

#include "limbeck/config/schema.h"
#include "limbeck/core/random.h"
#include "limbeck/data/batch.h"

namespace limbeck {

/// Section `data.augment:`. Both ideas are those of Défossez, Synnaeve, Adi, Real time speech
/// enhancement in the waveform domain (Interspeech 2020, section 3.2).
struct AugmentOptions {
  double remix_probability = 0;
  double band_mask_probability = 0;
  double band_mask_width = 0.2;

  void describe(config::Visitor& visitor);
};

/// Changes a batch in place; every draw comes from `key`, which names the batch. The recipes say
/// what was done.
///
/// - Remix: with its probability, the noises of the whole batch (noisy − clean) change places.
/// Where
///   a noise is shorter than the example that it comes to, the rest stays clean.
/// - Band mask: with its probability, one band is taken out of both sides of an example. Its width
///   is uniform up to `band_mask_width` of the mel scale, its place uniform on that scale.
///
/// Where a sample would exceed 0.99 afterwards, both sides are scaled down by one gain.
void augment(Batch& batch, const AugmentOptions& options, int rate_hz, SeedKey key);

}  // namespace limbeck
