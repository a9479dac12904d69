#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/recipe.h"
#include "limbeck/data/several.h"

namespace limbeck {

/// What mixtures are made of.
struct MixtureSources {
  std::vector<ManifestEntry> speech;
  std::vector<ManifestEntry> noise;
  std::vector<ManifestEntry> responses;  ///< of rooms; none: no reverberation
  /// Where shares are given (see Turns).
  std::vector<Corpus> speech_corpora = {};
  std::vector<Corpus> noise_corpora = {};
};

/// Entries of rooms' impulse responses: of a manifest, those of the split; of a folder, all; none
/// if the path is empty. `logger` is told what of a folder is passed over (find_audio). Throws
/// DataError that lists the files that cannot be read, have several channels or another rate.
std::vector<ManifestEntry> find_responses(const std::string& folder_or_manifest, Split split,
                                          int64_t rate_hz, Logger* logger = nullptr);

/// Mixtures as their recipes say. Their lengths differ, and the key decides nothing. `name` stands
/// in messages for where the recipes are from.
///
/// Throws DataError: no recipes, or one of a recording that is not among the sources or too short;
/// `get` throws it too if what comes out has another hash than the recipe says.
std::unique_ptr<Dataset> make_recipe_dataset(std::vector<Recipe> recipes, MixtureSources sources,
                                             int rate_hz, const std::string& name);

}  // namespace limbeck
