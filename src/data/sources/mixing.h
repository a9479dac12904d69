#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/mixture_dataset.h"
#include "data/source.h"

namespace limbeck {

/// Options of a source that mixes speech and noise, and what follows from them.
struct MixingOptions {
  MixtureOptions mixture;
  std::string valid_recipes;

  void describe(config::Visitor& visitor);

  /// The speech of a split with its noise. Throws DataError: there is none, or one of another rate.
  std::unique_ptr<Dataset> make_mixtures(const DataSelection& data, Split split,
                                         const ExampleOptions& options) const;

  /// The mixtures of `valid_recipes`; null: none are named.
  std::unique_ptr<Dataset> make_fixed_validation(const DataSelection& data,
                                                 const ExampleOptions& options) const;

  /// See DataSource::listed_responses.
  std::vector<ManifestEntry> listed_responses() const;

  /// See DataSource::response_folder.
  std::string response_folder() const;

  /// See DataSource::contents.
  void add_contents(std::map<std::string, std::string>& contents, int64_t rate_hz) const;
};

}  // namespace limbeck
