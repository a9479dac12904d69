#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "data/segments.h"
#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/selection.h"

namespace limbeck {

struct SourceOptions;

/// How recordings become examples, whatever their source.
struct ExampleOptions {
  int64_t rate_hz = 16000;      ///< that all recordings must have
  int64_t segment_samples = 0;  ///< 0: whole recordings
  ShortItems short_items = ShortItems::pad;
  int64_t cache_mb = 0;

  std::shared_ptr<const AudioStore> make_store() const;
};

/// Where examples come from; chosen by `data.source.type`. All methods throw DataError that names
/// the file.
class DataSource {
 public:
  virtual ~DataSource() = default;

  /// Reads the manifests, not the audio.
  virtual DataSelection select() const = 0;

  /// One item an entry of the split. `data` is what select() gave.
  virtual std::unique_ptr<Dataset> make_dataset(const DataSelection& data, Split split,
                                                const ExampleOptions& options) const = 0;

  /// Examples to validate on, all of them and whole, instead of segments of split valid; null: none
  /// are named.
  virtual std::unique_ptr<Dataset> make_fixed_validation(const DataSelection&,
                                                         const ExampleOptions&) const {
    return nullptr;
  }

  /// For the key of each option that names a file: a hash of what training and validation take from
  /// it, wherever it lies.
  virtual std::map<std::string, std::string> contents(const DataSelection& data,
                                                      int64_t rate_hz) const = 0;

  /// Impulse responses that a manifest lists for training and validation; those of a folder are
  /// read when a data set is made.
  virtual std::vector<ManifestEntry> listed_responses() const { return {}; }

  /// The folder whose recordings are impulse responses; empty: none.
  virtual std::string response_folder() const { return ""; }

  /// The protocol that is named; empty: none.
  virtual std::string protocol_file() const { return ""; }
};

using SourceRegistry = Registry<config::ComponentOptions, DataSource>;
/// All data sources by name; filled in builtin_sources.cpp.
const SourceRegistry& data_sources();

/// The source that a section `source:` chooses.
std::unique_ptr<DataSource> make_source(const SourceOptions& options);

// What sources share.

/// Options of one role: KEY, its manifest or several, and KEY_shares.
struct ManifestsOptions {
  std::vector<std::string> paths;
  std::vector<double> shares;

  /// `what` they list: "clean recordings".
  void describe(config::Visitor& visitor, const std::string& key, const std::string& what);

  /// Puts the entries into their splits of `data`, manifest after manifest. Throws DataError: one
  /// cannot be read, is of another kind than the role needs, lists what another one lists, or has
  /// a share and no entry to train on.
  void select(Role role, DataSelection& data) const;
};

/// The pairs of a split. Throws DataError: there is none, or one of another rate.
std::unique_ptr<Dataset> make_pairs(const DataSelection& data, Split split,
                                    const ExampleOptions& options);

/// Hash of the entries that training and validation take in this role, and of how many of them
/// have which share.
std::string content_of(const DataSelection& data, Role role);

}  // namespace limbeck
