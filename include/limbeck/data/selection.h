#pragma once

#include <map>
#include <string>
#include <vector>

#include "limbeck/data/leak.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/protocol.h"
#include "limbeck/data/several.h"

namespace limbeck {

struct DataOptions;

/// The entries of one split, by role.
struct SplitEntries {
  std::vector<ManifestEntry> speech;
  std::vector<ManifestEntry> noise;
  std::vector<ManifestEntry> pairs;
  /// From where the entries of a role come, where shares are given for it.
  std::map<Role, std::vector<Corpus>> corpora = {};

  std::vector<ManifestEntry>& of(Role role);
  const std::vector<ManifestEntry>& of(Role role) const;
  /// Those of the role; empty: no shares are given.
  std::vector<Corpus> corpora_of(Role role) const;
  std::vector<Fingerprint> fingerprints() const;
};

/// What a section `data:` names.
struct DataSelection {
  std::string source;         ///< the protocol, or the manifests; for messages
  std::string protocol;       ///< name of the protocol; empty: bare manifests
  std::string protocol_hash;  ///< `Protocol::content_hash`
  std::vector<std::string> notes;
  SplitEntries train, valid, test;        ///< what is not named or not there is empty
  std::vector<DataSelection> valid_sets;  ///< those of `data.valid_sets`; they have valid alone

  SplitEntries& of(Split split);
  const SplitEntries& of(Split split) const;
};

/// Reads the manifests, not the audio. Throws DataError: a manifest is wrong, of the other kind, or
/// changed since the protocol was locked.
DataSelection select_data(const DataOptions& options);
DataSelection select_data(const Protocol& protocol);

/// Pairs to report on.
struct TestSet {
  Manifest pairs;
  std::vector<std::string> notes;  ///< what has to be said wherever results on it are shown
};

/// All pairs of a manifest, or the test pairs of a protocol: one of the paths is empty. Throws
/// DataError as select_data does, and if there is no pair.
TestSet read_test_set(const std::string& manifest, const std::string& protocol);

}  // namespace limbeck
