#include "limbeck/corpus/fixed_mixtures.h"

#include <map>
#include <set>

#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/place.h"
#include "limbeck/data/validation.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

void make_ids_unique(std::vector<Recipe>& recipes) {
  std::set<std::string> taken;
  for (Recipe& recipe : recipes) {
    const std::string own = recipe.id;
    for (int n = 2; !taken.insert(recipe.id).second; ++n) recipe.id = own + format("-%d", n);
  }
}

constexpr const char* kSuffix = ".flac";

/// Where a side of a pair goes.
AudioFile file_of(const fs::path& out, const char* side, const std::string& id) {
  return {out / side / path_of_id(id, kSuffix), ""};
}

/// Speech of the same ids may lie where the pairs are to go.
void require_sources_kept(const Manifest& pairs, const fs::path& manifest,
                          const MixtureSources& sources) {
  std::vector<fs::path> written = {manifest};
  for (const ManifestEntry& entry : pairs.entries) {
    written.insert(written.end(), {entry.audio.path, entry.noisy.path});
  }
  std::vector<fs::path> inputs;
  for (const auto* side : {&sources.speech, &sources.noise, &sources.responses}) {
    for (const ManifestEntry& entry : *side) inputs.push_back(entry.audio.path);
  }
  require_inputs_kept(written, inputs);
}

/// Writes one side and fills in the hash of what can be read back.
void write_side(AudioFile& file, std::vector<float> samples, int rate_hz) {
  make_folder(file.path.parent_path());
  const int64_t clipped = write_audio(file.path, {std::move(samples), rate_hz});
  if (clipped > 0) {
    std::error_code ignored;
    fs::remove(file.path, ignored);
    throw DataError(file.path.string() + format(": %d samples would exceed full scale", clipped));
  }
  file.hash = hash_audio(read_audio(file.path).samples);
}

std::map<std::string, const ManifestEntry*> by_id(const std::vector<ManifestEntry>& entries) {
  std::map<std::string, const ManifestEntry*> found;
  for (const ManifestEntry& entry : entries) found[entry.id] = &entry;
  return found;
}

}  // namespace

std::vector<Recipe> draw_recipes(const Dataset& dataset, int64_t count, uint64_t seed,
                                 int64_t threads, Logger& logger) {
  const auto items = fixed_items(dataset, count, seed);
  std::vector<Recipe> recipes(items.size());
  Progress progress(logger, "mixing", "mixtures", static_cast<int64_t>(items.size()));
  parallel_for(static_cast<int64_t>(items.size()), threads, progress, [&](int64_t i) {
    const FixedItem& item = items[static_cast<size_t>(i)];
    Example example = dataset.get(item.index, item.key);
    if (example.recipe.noise.empty()) {
      throw DataError(example.recipe.id +
                      ": is a recorded pair; mixtures are made of speech and noise");
    }
    example.recipe.clean_hash = hash_audio(example.clean);
    example.recipe.noisy_hash = hash_audio(example.noisy);
    recipes[static_cast<size_t>(i)] = std::move(example.recipe);
  });
  make_ids_unique(recipes);
  return recipes;
}

Manifest render_recipes(const std::vector<Recipe>& recipes, const MixtureSources& sources,
                        int rate_hz, const std::string& name, const RenderOptions& options,
                        Logger& logger) {
  const auto speech = by_id(sources.speech);
  const auto noise = by_id(sources.noise);
  const auto dataset = make_recipe_dataset(recipes, sources, rate_hz, name);
  std::vector<std::string> ids;
  for (const Recipe& recipe : recipes) ids.push_back(recipe.id);
  require_paths_of_ids(ids, kSuffix, name);
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  manifest.extra_columns = {"noise", "snr_db", "room"};
  for (const Recipe& recipe : recipes) {
    ManifestEntry entry;
    entry.id = recipe.id;
    entry.audio = file_of(options.out, "clean", recipe.id);
    entry.noisy = file_of(options.out, "noisy", recipe.id);
    entry.speaker = speech.at(recipe.speech[0].id)->speaker;
    entry.split = options.split;
    entry.samples = recipe.samples();
    entry.rate_hz = rate_hz;
    const ManifestEntry& kind = *noise.at(recipe.noise[0].id);
    entry.extra = {kind.speaker.empty() ? kind.id : kind.speaker, shortest(recipe.snr_db),
                   recipe.response};
    manifest.entries.push_back(std::move(entry));
  }
  const fs::path list = options.out / "pairs.csv";
  require_sources_kept(manifest, list, sources);
  Progress progress(logger, "rendering", "pairs", dataset->size());
  parallel_for(dataset->size(), options.threads, progress, [&](int64_t i) {
    Example example = dataset->get(i, SeedKey(0));
    ManifestEntry& entry = manifest.entries[static_cast<size_t>(i)];
    write_side(entry.audio, std::move(example.clean), rate_hz);
    write_side(entry.noisy, std::move(example.noisy), rate_hz);
  });
  manifest.write(list);
  return manifest;
}

}  // namespace limbeck
