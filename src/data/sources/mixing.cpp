#include "data/sources/mixing.h"

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"

namespace limbeck {
namespace {

void require_both(const SplitEntries& part, const std::string& source, Split split) {
  const char* missing = part.speech.empty()  ? (part.noise.empty() ? "entry" : "speech")
                        : part.noise.empty() ? "noise"
                                             : nullptr;
  if (missing == nullptr) return;
  throw DataError(format("%s: no %s has split %s", source, missing, split_name(split)));
}

/// Impulse responses of training and validation.
Manifest read_responses(const std::string& manifest) {
  Manifest all = Manifest::read(manifest);
  std::erase_if(all.entries, [](const auto& entry) { return entry.split == Split::test; });
  return all;
}

std::string responses_hash(const std::string& path, int64_t rate_hz) {
  if (!is_folder(path)) return read_responses(path).content_hash();
  Manifest manifest;
  manifest.entries = find_responses(path, Split::train, rate_hz);
  return manifest.content_hash();
}

}  // namespace

void MixingOptions::describe(config::Visitor& v) {
  mixture.describe(v);
  v.value("valid_recipes", valid_recipes,
          "recipes of mixtures (limbeck-prepare mixtures) to validate on, all of them and whole; "
          "the keys data.valid_… then say nothing",
          config::any().names_file());
}

std::unique_ptr<Dataset> MixingOptions::make_mixtures(const DataSelection& data, Split split,
                                                      const ExampleOptions& options) const {
  const SplitEntries& part = data.of(split);
  require_both(part, data.source, split);
  for (const auto* entries : {&part.speech, &part.noise}) {
    require_rate(*entries, data.source, options.rate_hz);
  }
  return std::make_unique<MixtureDataset>(
      MixtureSources{part.speech, part.noise,
                     find_responses(mixture.reverb.responses, split, options.rate_hz),
                     part.corpora_of(Role::speech), part.corpora_of(Role::noise)},
      options.segment_samples, options.short_items, mixture, options.make_store());
}

std::unique_ptr<Dataset> MixingOptions::make_fixed_validation(const DataSelection& data,
                                                              const ExampleOptions& options) const {
  if (valid_recipes.empty()) return nullptr;
  return make_recipe_dataset(
      read_recipes(valid_recipes),
      {data.valid.speech, data.valid.noise,
       find_responses(mixture.reverb.responses, Split::valid, options.rate_hz)},
      static_cast<int>(options.rate_hz), valid_recipes);
}

std::vector<ManifestEntry> MixingOptions::listed_responses() const {
  const std::string& responses = mixture.reverb.responses;
  if (responses.empty() || is_folder(responses)) return {};
  return read_responses(responses).entries;
}

std::string MixingOptions::response_folder() const {
  return is_folder(mixture.reverb.responses) ? mixture.reverb.responses : "";
}

void MixingOptions::add_contents(std::map<std::string, std::string>& contents,
                                 int64_t rate_hz) const {
  const std::string& responses = mixture.reverb.responses;
  if (!responses.empty()) contents["reverb.responses"] = responses_hash(responses, rate_hz);
  if (!valid_recipes.empty()) contents["valid_recipes"] = hash_file(valid_recipes);
}

}  // namespace limbeck
