#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/mixture.h"

namespace limbeck {

/// Recipes, with hashes, of the examples that `fixed_items` names. Ids are those of the speech; the
/// second mixture of a recording gets "-2" behind it, and so on. Throws DataError, also for an
/// example that is no mixture.
std::vector<Recipe> draw_recipes(const Dataset& dataset, int64_t count, uint64_t seed,
                                 int64_t threads, Logger& logger);

struct RenderOptions {
  Split split = Split::test;  ///< of all pairs
  std::filesystem::path out;
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// Makes the mixtures and writes out/clean/ID.flac, out/noisy/ID.flac (16 bits) and the manifest
/// out/pairs.csv, whose further columns are `noise` (its kind, where the manifest of noise has it
/// as speaker, else its id), `snr_db` and `room`. `name` stands in messages for the file of
/// recipes.
///
/// Throws DataError: as make_recipe_dataset; an id that cannot name a file
/// (`require_paths_of_ids`); a sample beyond full scale; ConfigError: a source would be replaced.
Manifest render_recipes(const std::vector<Recipe>& recipes, const MixtureSources& sources,
                        int rate_hz, const std::string& name, const RenderOptions& options,
                        Logger& logger);

}  // namespace limbeck
