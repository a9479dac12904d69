#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

/// What the entries of a manifest are used as.
enum class Role { speech, noise, pairs };

const char* role_name(Role role);

/// A manifest and the `Manifest::content_hash` that it had when it was locked.
struct LockedManifest {
  std::string path;  ///< in the file relative to its folder, in memory as it opens from here
  std::string hash;

  void describe(config::Visitor& v);
};

/// The manifests of one split; only their entries of that split count.
struct ProtocolSplit {
  std::vector<LockedManifest> speech;
  std::vector<LockedManifest> noise;
  std::vector<LockedManifest> pairs;

  void describe(config::Visitor& v);
  bool empty() const { return speech.empty() && noise.empty() && pairs.empty(); }
  std::vector<LockedManifest>& of(Role role);
  const std::vector<LockedManifest>& of(Role role) const;
};

/// A data set that is locked: what is trained on, validated on and tested on, by content. A YAML
/// file,
///
///     name: voicebank-demand
///     format: 1
///     partial: true
///     note: 120 of 824 test utterances
///     leak: ""
///     train:
///       pairs:
///         - manifest: train.csv
///           hash: 9205b130e1892c0e6c5b7ae191992e79
///     valid: …
///     test: …
///
/// whose paths are relative to its folder, so that the folder can be moved as a whole. The same
/// manifest may be named for several splits. A split may be absent: a set that is only evaluated on
/// needs `test` alone.
struct Protocol {
  static constexpr int64_t kFormat = 1;

  std::string name;
  int64_t format_version = kFormat;
  bool partial = false;  ///< part of what its name promises; `note` says which
  std::string note;
  std::string leak;  ///< what --allow-leak let pass when it was locked; else empty
  ProtocolSplit train, valid, test;
  std::filesystem::path file;  ///< where it was read from; for messages

  void describe(config::Visitor& v);

  /// Parses the file; the manifests are looked at when their entries are asked for. Throws
  /// DataError if it cannot be read, ConfigError with all that is wrong in it.
  static Protocol read(const std::filesystem::path& path);

  /// Replaces the file at once. Paths become relative to its folder, as those of a manifest. Throws
  /// ConfigError, and writes nothing, where `read` would refuse it.
  void write(const std::filesystem::path& path) const;

  /// Locks a manifest as it is now; `manifest.path` must be set. Throws DataError if it is of
  /// another kind than the role needs, or has no entry of the split.
  void add(Split split, Role role, const Manifest& manifest);

  const ProtocolSplit& of(Split split) const;
  ProtocolSplit& of(Split split);

  /// The entries that play the role in the split, manifest after manifest, with the extra columns
  /// of all; empty if none is named. Throws DataError for a manifest that changed since it was
  /// locked, for two that list the same, and for two entries of one id among the pairs of test:
  /// results go by id.
  Manifest manifest(Split split, Role role) const;

  /// Hash of what is locked, and in which role; neither name nor place changes it.
  std::string content_hash() const;

  /// What has to be said wherever results on this data are shown: "partial set: …", "LEAK ALLOWED:
  /// …".
  std::vector<std::string> notes() const;
};

}  // namespace limbeck
