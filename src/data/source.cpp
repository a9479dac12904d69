#include "data/source.h"

#include <algorithm>

#include "data/pair_dataset.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {

std::shared_ptr<const AudioStore> ExampleOptions::make_store() const {
  return std::make_shared<const AudioStore>(static_cast<int>(rate_hz), cache_mb << 20);
}

void ManifestsOptions::describe(config::Visitor& v, const std::string& key,
                                const std::string& what) {
  v.value(key, paths, "manifest of " + what + ", or a list of several, which are used as one",
          config::any().required().names_file().or_one());
  v.require(!paths.empty() && std::find(paths.begin(), paths.end(), "") == paths.end(), key,
            "names no manifest");
  const std::string shares_key = key + "_shares";
  v.value(shares_key, shares,
          "how much of what training draws comes from each of several manifests, in proportion: "
          "[3, 1]; empty: every entry comes as often as any other, as it does in validation",
          config::between(0.001, 1000));
  v.require(shares.empty() || shares.size() == paths.size(), shares_key,
            format("gives %d shares for %d manifests", shares.size(), paths.size()));
}

void ManifestsOptions::select(Role role, DataSelection& data) const {
  const auto manifests = read_manifests(
      paths, role == Role::pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings);
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    data.of(split).of(role) = joined(manifests, split).entries;
  }
  for (size_t i = 0; i < manifests.size(); ++i) {
    data.source += (data.source.empty() ? "" : ", ") + paths[i];
    if (shares.empty()) continue;
    const size_t entries = manifests[i].filter(Split::train).entries.size();
    if (entries == 0) {
      throw DataError(paths[i] + ": has a share of training, and no entry of split train");
    }
    data.train.corpora[role].push_back({static_cast<int64_t>(entries), shares[i]});
  }
}

std::unique_ptr<Dataset> make_pairs(const DataSelection& data, Split split,
                                    const ExampleOptions& options) {
  const auto& pairs = data.of(split).pairs;
  if (pairs.empty()) {
    throw DataError(format("%s: no entry has split %s", data.source, split_name(split)));
  }
  require_rate(pairs, data.source, options.rate_hz);
  return std::make_unique<PairDataset>(pairs, options.segment_samples, options.short_items,
                                       options.make_store(),
                                       data.of(split).corpora_of(Role::pairs));
}

std::string content_of(const DataSelection& data, Role role) {
  Manifest manifest;
  manifest.kind = role == Role::pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings;
  for (const Split split : {Split::train, Split::valid}) {
    const auto& entries = data.of(split).of(role);
    manifest.entries.insert(manifest.entries.end(), entries.begin(), entries.end());
  }
  const std::string entries = manifest.content_hash();
  const std::vector<Corpus> corpora = data.train.corpora_of(role);
  if (corpora.empty()) return entries;
  std::string text = entries + "\n";
  for (const Corpus& corpus : corpora) text += format("%d\n", corpus.entries);
  return hash_bytes(text.data(), text.size());
}

}  // namespace limbeck
