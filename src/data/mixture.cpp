#include "limbeck/data/mixture.h"

#include "data/mixer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

class RecipeDataset : public Dataset {
 public:
  RecipeDataset(std::vector<Recipe> recipes, MixtureSources sources, int rate_hz,
                const std::string& name)
      : recipes_(std::move(recipes)),
        mixer_(std::move(sources), std::make_shared<const AudioStore>(rate_hz, 0)),
        name_(name) {
    if (recipes_.empty()) throw DataError(name + ": holds no recipes");
    for (const Recipe& recipe : recipes_) {
      for (const Piece& piece : recipe.speech)
        check_piece(recipe, "speech", mixer_.speech(), piece);
      for (const Piece& piece : recipe.noise) check_piece(recipe, "noise", mixer_.noise(), piece);
      if (recipe.response.empty()) continue;
      check_piece(recipe, "response", mixer_.responses(), {recipe.response, 0, 0});
    }
  }

  int64_t size() const override { return static_cast<int64_t>(recipes_.size()); }
  int rate_hz() const override { return mixer_.rate_hz(); }
  int64_t segment_samples() const override { return 0; }
  int64_t samples(int64_t index) const override { return recipe_at(index).samples(); }

  Example get(int64_t index, SeedKey) const override {
    const Recipe& recipe = recipe_at(index);
    Example example = mixer_.make(recipe);
    check_side(recipe, "clean", recipe.clean_hash, example.clean);
    check_side(recipe, "noisy", recipe.noisy_hash, example.noisy);
    return example;
  }

 private:
  const Recipe& recipe_at(int64_t index) const { return recipes_.at(static_cast<size_t>(index)); }

  void check_piece(const Recipe& recipe, const char* role, const Segments& segments,
                   const Piece& piece) const {
    const std::string front = name_ + ": recipe '" + recipe.id + "': " + role + " '" + piece.id;
    if (!segments.contains(piece.id)) {
      throw DataError(front + format("' is not among the %d recordings at hand", segments.size()));
    }
    const int64_t samples = segments.entry(piece.id).samples;
    if (piece.start + piece.count <= samples) return;
    throw DataError(front + format("' has %d samples, not %d", samples, piece.start + piece.count));
  }

  void check_side(const Recipe& recipe, const char* side, const std::string& hash,
                  const std::vector<float>& samples) const {
    if (hash.empty() || hash == hash_audio(samples)) return;
    throw DataError(name_ + ": recipe '" + recipe.id + "': the " + side +
                    " side comes out otherwise than when it was written; are these the same "
                    "recordings?");
  }

  std::vector<Recipe> recipes_;
  Mixer mixer_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Dataset> make_recipe_dataset(std::vector<Recipe> recipes, MixtureSources sources,
                                             int rate_hz, const std::string& name) {
  return std::make_unique<RecipeDataset>(std::move(recipes), std::move(sources), rate_hz, name);
}

std::vector<ManifestEntry> find_responses(const std::string& folder_or_manifest, Split split,
                                          int64_t rate_hz, Logger* logger) {
  if (folder_or_manifest.empty()) return {};
  Manifest manifest;
  if (is_folder(folder_or_manifest)) {
    Logger silent(Verbosity::quiet);
    Listing listing =
        measure_all(Manifest::Kind::recordings,
                    find_recordings({folder_or_manifest}, SpeakerRule::none, logger), 0, silent,
                    [&](ManifestEntry& entry) { return measure_recording(entry, rate_hz); });
    std::vector<std::string> problems;
    for (const auto& [file, reason] : listing.problems) problems.push_back(file + ": " + reason);
    if (!problems.empty()) {
      throw DataError(format("%s: %d of %d files cannot be impulse responses:", folder_or_manifest,
                             problems.size(), problems.size() + listing.manifest.entries.size()) +
                      listed(problems));
    }
    manifest = std::move(listing.manifest);
  } else {
    manifest = Manifest::read(folder_or_manifest).filter(split);
  }
  if (manifest.kind != Manifest::Kind::recordings || manifest.entries.empty()) {
    throw DataError(folder_or_manifest + ": lists no recording of split " + split_name(split));
  }
  require_rate(manifest.entries, folder_or_manifest, rate_hz);
  return std::move(manifest.entries);
}

}  // namespace limbeck
