#include "data/source.h"

#include "data/pair_dataset.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

std::shared_ptr<const AudioStore> ExampleOptions::make_store() const {
  return std::make_shared<const AudioStore>(static_cast<int>(rate_hz), cache_mb << 20);
}

void add_manifest(const std::string& path, Role role, DataSelection& data) {
  const Manifest manifest = Manifest::read(path);
  const bool pairs = manifest.kind == Manifest::Kind::pairs;
  if (pairs != (role == Role::pairs)) {
    throw DataError(path + (pairs ? ": lists pairs, and recordings are needed here"
                                  : ": lists recordings, and pairs are needed here"));
  }
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    data.of(split).of(role) = manifest.filter(split).entries;
  }
  data.source += (data.source.empty() ? "" : ", ") + path;
}

std::unique_ptr<Dataset> make_pairs(const DataSelection& data, Split split,
                                    const ExampleOptions& options) {
  const auto& pairs = data.of(split).pairs;
  if (pairs.empty()) {
    throw DataError(format("%s: no entry has split %s", data.source, split_name(split)));
  }
  require_rate(pairs, data.source, options.rate_hz);
  return std::make_unique<PairDataset>(pairs, options.segment_samples, options.short_items,
                                       options.make_store());
}

std::string content_of(const DataSelection& data, Role role) {
  Manifest manifest;
  manifest.kind = role == Role::pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings;
  for (const Split split : {Split::train, Split::valid}) {
    const auto& entries = data.of(split).of(role);
    manifest.entries.insert(manifest.entries.end(), entries.begin(), entries.end());
  }
  return manifest.content_hash();
}

}  // namespace limbeck
