#include "data/mixer.h"

#include <cmath>

#include "limbeck/audio/mix.h"
#include "limbeck/audio/reverb.h"
#include "limbeck/core/error.h"

namespace limbeck {

Mixer::Mixer(MixtureSources sources, std::shared_ptr<const AudioStore> store)
    : speech_(std::move(sources.speech), store),
      noise_(std::move(sources.noise), store),
      responses_(std::move(sources.responses), std::move(store)) {}

Ingredients Mixer::in_room(std::vector<float> dry, const Recipe& recipe) const {
  if (recipe.response.empty()) return {dry, dry, {}};
  const ManifestEntry& entry = responses_.entry(recipe.response);
  const auto response = responses_.read({{entry.id, 0, entry.samples}});
  if (peak_of(response) == 0) {
    throw DataError(entry.audio.path.string() + ": is silent, not an impulse response");
  }
  RoomSpeech room = put_in_room(dry, response, std::llround(recipe.early_ms * rate_hz() / 1000));
  return {std::move(room.full), std::move(room.early), {}};
}

Example Mixer::make(const Recipe& recipe) const {
  Ingredients ingredients = in_room(speech_.read(recipe.speech), recipe);
  ingredients.noise = noise_.read(recipe.noise);
  return add_up(std::move(ingredients), recipe);
}

Example add_up(Ingredients ingredients, const Recipe& recipe) {
  Example example{recipe, {}, std::move(ingredients.clean)};
  apply_gain(example.clean, recipe.speech_gain);
  apply_gain(ingredients.speech, recipe.speech_gain);
  apply_gain(ingredients.noise, recipe.noise_gain);
  example.noisy = sum_of(ingredients.speech, ingredients.noise);
  return example;
}

}  // namespace limbeck
