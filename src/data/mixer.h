#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/segments.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/mixture.h"

namespace limbeck {

/// What a mixture is added up from, before gains.
struct Ingredients {
  std::vector<float> speech;  ///< as it is in the mixture
  std::vector<float> clean;   ///< as it should come out: `speech` without late reverberation
  std::vector<float> noise;
};

/// Does what recipes say.
class Mixer {
 public:
  Mixer(MixtureSources sources, std::shared_ptr<const AudioStore> store);

  const Segments& speech() const { return speech_; }
  const Segments& noise() const { return noise_; }
  const Segments& responses() const { return responses_; }
  int rate_hz() const { return speech_.store().rate_hz(); }

  /// `dry` in the room of `recipe`, if it has one, as `speech` and `clean`; no noise yet.
  Ingredients in_room(std::vector<float> dry, const Recipe& recipe) const;

  Example make(const Recipe& recipe) const;

 private:
  Segments speech_;
  Segments noise_;
  Segments responses_;
};

/// Applies the recipe's gains and adds. Every sample is a product rounded once or a sum of two
/// such, so the result is the same on every machine.
Example add_up(Ingredients ingredients, const Recipe& recipe);

}  // namespace limbeck
