#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "limbeck/config/schema.h"
#include "limbeck/data/augment.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/loader.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/validation.h"

namespace limbeck {

struct DataSelection;

/// Section `data.source:`: the data source that `type` chooses, and its options.
struct SourceOptions {
  config::Chosen chosen;

  void describe(config::Visitor& visitor);
};

/// An entry of `data.valid_sets:`: what training is validated on beside the main set.
struct ValidSetOptions {
  std::string name;
  SourceOptions source;
  int64_t count = 0;
  double segment_seconds = 0;

  void describe(config::Visitor& visitor);
};

/// The section `data:` of a configuration.
struct DataOptions {
  SourceOptions source;
  bool allow_leak = false;
  int64_t rate_hz = 16000;
  double segment_seconds = 2;
  std::string short_items = "pad";
  AugmentOptions augment;
  int64_t epochs_unique = 0;
  int64_t valid_count = 64;
  double valid_segment_seconds = 4;
  int64_t valid_seed = 1;
  std::vector<ValidSetOptions> valid_sets;
  int64_t workers = 1;
  int64_t prefetch = 4;
  int64_t cache_mb = 512;

  void describe(config::Visitor& visitor);

  /// The protocol file that the source names; empty: none.
  std::string protocol_file() const;
  /// Of all sets that are validated on: "", that of the main one, first.
  std::vector<std::string> valid_set_names() const;
};

/// The entries of split train, in segments of `segment_seconds`.
///
/// These functions leave the audio alone (but for a folder of impulse responses, which is read) and
/// throw DataError: the split is empty, an entry has another rate than `rate_hz`. Those without a
/// selection make it (`select_data`).
std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options, const DataSelection& data);
std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options);

/// What training is validated on: the fixed mixtures that the source names, or `valid_count`
/// segments of the entries of split valid.
ValidationSet make_validation_set(const DataOptions& options, const DataSelection& data,
                                  int64_t batch_size);

/// That set, without a name, and those of `valid_sets` in their order.
std::vector<NamedValidationSet> make_validation_sets(const DataOptions& options,
                                                     const DataSelection& data, int64_t batch_size);

/// The entries of a split, with segments as long as in validation.
std::unique_ptr<Dataset> make_fixed_dataset(const DataOptions& options, const DataSelection& data,
                                            Split split);

/// By the key of each option that names a file ("source.speech"): a hash of what training and
/// validation take from it, wherever it lies; for those of a set of `valid_sets`
/// "valid_files.NAME.speech". Throws DataError as the functions above do.
std::map<std::string, std::string> content_of(const DataOptions& options);

/// How training batches are made.
LoaderOptions loader_options(const DataOptions& options, int64_t batch_size, Logger* logger);

}  // namespace limbeck
