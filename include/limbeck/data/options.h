#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "limbeck/config/schema.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/mixture.h"

namespace limbeck {

struct DataSelection;

/// The section `data:` of a configuration. Either `speech` and `noise` are given, and mixtures of
/// them are made on the fly, or `pairs`, or a `protocol` that names manifests of these.
struct DataOptions {
  std::string protocol;
  std::string speech;
  std::string noise;
  std::string pairs;
  bool allow_leak = false;
  int64_t rate_hz = 16000;
  double segment_seconds = 2;
  MixtureOptions mixture;  ///< its keys stand among those of this section
  int64_t valid_count = 64;
  double valid_segment_seconds = 4;
  int64_t valid_seed = 1;
  int64_t workers = 1;
  int64_t prefetch = 4;
  int64_t cache_mb = 512;

  void describe(config::Visitor& visitor);
};

/// The entries of split train, in segments of `segment_seconds`.
///
/// Both functions leave the audio alone and throw DataError: the split is empty, an entry has
/// another rate than `rate_hz`. Those without a selection make it (`select_data`).
std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options, const DataSelection& data);
std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options);

/// The entries of split valid, in segments of `valid_segment_seconds`. Take `valid_count` examples
/// from it with fixed_batch(…, valid_seed).
std::unique_ptr<Dataset> make_valid_dataset(const DataOptions& options, const DataSelection& data);
std::unique_ptr<Dataset> make_valid_dataset(const DataOptions& options);

}  // namespace limbeck
