#include "data/mixture_dataset.h"

#include <algorithm>

#include "limbeck/audio/mix.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr int kAttempts = 4;
constexpr float kPeak = 0.99F;

bool draw_chance(SeedKey key, double probability) { return Random(key).uniform() < probability; }

double draw_snr_db(const MixtureOptions& options, SeedKey key) {
  Random random(key);
  const auto& values = options.snr_db_values;
  return values.empty() ? random.uniform(options.snr_db_min, options.snr_db_max)
                        : values[random.below(values.size())];
}

/// Draws the segment of speech and its room; `dry` is what is read.
Ingredients draw_speech(const Mixer& mixer, int64_t index, int64_t length, ShortItems short_items,
                        const MixtureOptions& options, SeedKey key, Recipe& recipe) {
  Random random(key.with("speech"));
  std::vector<float> dry;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    recipe.speech = mixer.speech().draw(index, length, short_items, random);
    dry = mixer.speech().read(recipe.speech);
    if (active_level_dbfs(dry, mixer.rate_hz()) >= kSilentSpeechDbfs) break;
  }
  const Segments& responses = mixer.responses();
  if (responses.size() > 0 && draw_chance(key.with("reverb"), options.reverb.probability)) {
    Random room(key.with("response"));
    recipe.response = responses.entry(draw_below(room, responses.size())).id;
    recipe.early_ms = options.reverb.early_ms;
  }
  return mixer.in_room(std::move(dry), recipe);
}

std::vector<float> draw_noise(const Segments& noise, const Turns& turns, int64_t length,
                              SeedKey key, Recipe& recipe) {
  Random random(key.with("noise"));
  std::vector<float> samples;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int64_t index = turns.draw(random);
    recipe.noise = noise.draw(index, length, ShortItems::repeat, random);
    samples = noise.read(recipe.noise);
    if (level_dbfs(samples) >= kSilentNoiseDbfs) break;
  }
  return samples;
}

void draw_gains(double speech_db, double noise_db, const MixtureOptions& options, SeedKey key,
                Recipe& recipe) {
  const double drawn_db =
      Random(key.with("level")).uniform(options.level_dbfs_min, options.level_dbfs_max);
  const bool is_silent = speech_db < kSilentSpeechDbfs;
  const bool changes =
      is_silent || draw_chance(key.with("level change"), options.level_probability);
  recipe.level_dbfs = changes ? drawn_db : speech_db;
  recipe.snr_db = draw_snr_db(options, key.with("snr"));
  const MixGains gains = mix_gains(speech_db, noise_db, recipe.level_dbfs, recipe.snr_db);
  recipe.speech_gain = gains.speech;
  recipe.noise_gain = gains.noise;
}

}  // namespace

void ReverbOptions::describe(config::Visitor& v) {
  v.value("responses", responses,
          "folder or manifest of rooms' impulse responses, of one channel each; empty: no "
          "reverberation",
          config::any().names_file());
  v.value("probability", probability, "share of the mixtures that are put in a room",
          config::between(0, 1));
  v.value("early_ms", early_ms,
          "the clean side keeps the direct path and the reflections of the first so many ms",
          config::between(0, 1000));
}

void MixtureOptions::describe(config::Visitor& v) {
  v.value("snr_db_min", snr_db_min, "lowest SNR of a mixture", config::between(-30, 60));
  v.value("snr_db_max", snr_db_max, "highest SNR of a mixture", config::between(-30, 60));
  v.value("snr_db_values", snr_db_values, "SNRs, one of which is drawn instead of from the range",
          config::between(-30, 60));
  v.value("level_dbfs_min", level_dbfs_min,
          "lowest level of the speech, over its active parts (ITU-T P.56)",
          config::between(-55, -5));
  v.value("level_dbfs_max", level_dbfs_max,
          "highest level of the speech, over its active parts (ITU-T P.56)",
          config::between(-55, -5));
  v.value("level_probability", level_probability,
          "share of the mixtures whose speech is brought to a drawn level; others keep theirs",
          config::between(0, 1));
  v.section("reverb", reverb, "speech in rooms");
  v.require(snr_db_min <= snr_db_max, "snr_db_max", "is below snr_db_min");
  v.require(level_dbfs_min <= level_dbfs_max, "level_dbfs_max", "is below level_dbfs_min");
}

MixtureDataset::MixtureDataset(MixtureSources sources, int64_t segment_samples,
                               ShortItems short_items, const MixtureOptions& options,
                               std::shared_ptr<const AudioStore> store)
    : speech_turns_(static_cast<int64_t>(sources.speech.size()), sources.speech_corpora),
      noise_turns_(static_cast<int64_t>(sources.noise.size()), sources.noise_corpora),
      mixer_(std::move(sources), std::move(store)),
      segment_(segment_samples),
      short_items_(short_items),
      options_(options) {
  if (mixer_.speech().size() == 0)
    throw DataError("mixtures need at least one recording of speech");
  if (mixer_.noise().size() == 0) throw DataError("mixtures need at least one recording of noise");
}

int64_t MixtureDataset::size() const { return speech_turns_.items(); }

int MixtureDataset::rate_hz() const { return mixer_.rate_hz(); }

int64_t MixtureDataset::samples(int64_t index) const {
  return mixer_.speech().samples(speech_turns_.entry_of(index), segment_, short_items_);
}

Example MixtureDataset::get(int64_t item, SeedKey key) const {
  const int64_t index = speech_turns_.entry_of(item);
  Recipe recipe;
  recipe.id = mixer_.speech().entry(index).id;
  // One stream a purpose: how often one of them is drawn from cannot shift another.
  Ingredients ingredients =
      draw_speech(mixer_, index, segment_, short_items_, options_, key, recipe);
  ingredients.noise = draw_noise(mixer_.noise(), noise_turns_, recipe.samples(), key, recipe);
  const double speech_db = active_level_dbfs(ingredients.speech, rate_hz());
  const double noise_db = level_dbfs(ingredients.noise);
  draw_gains(speech_db, noise_db, options_, key, recipe);
  Example example = add_up(ingredients, recipe);
  const float peak = std::max(peak_of(example.noisy), peak_of(example.clean));
  if (peak > kPeak) {
    const double gain = static_cast<double>(kPeak) / peak;
    recipe.speech_gain *= gain;
    recipe.noise_gain *= gain;
    example = add_up(std::move(ingredients), recipe);
  }
  if (noise_db < kSilentNoiseDbfs) example.silent = "noise " + recipe.noise.front().id;
  if (speech_db < kSilentSpeechDbfs) example.silent = "speech " + recipe.speech.front().id;
  return example;
}

}  // namespace limbeck
