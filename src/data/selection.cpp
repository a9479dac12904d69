#include "limbeck/data/selection.h"

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using Kind = Manifest::Kind;

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};
constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

void take_manifest(const std::string& path, Role role, DataSelection& selection) {
  if (path.empty()) return;
  const Manifest manifest = Manifest::read(path);
  if ((manifest.kind == Kind::pairs) != (role == Role::pairs)) {
    const bool pairs = manifest.kind == Kind::pairs;
    throw DataError(path + (pairs ? ": lists pairs, and recordings are needed here"
                                  : ": lists recordings, and pairs are needed here"));
  }
  for (const Split split : kSplits) selection.of(split).of(role) = manifest.filter(split).entries;
  selection.source += (selection.source.empty() ? "" : ", ") + path;
}

}  // namespace

std::vector<ManifestEntry>& SplitEntries::of(Role role) {
  return role == Role::speech ? speech : role == Role::noise ? noise : pairs;
}

std::vector<Fingerprint> SplitEntries::fingerprints() const {
  std::vector<Fingerprint> all = limbeck::fingerprints(speech);
  for (const auto& more : {limbeck::fingerprints(noise, true), limbeck::fingerprints(pairs)}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

SplitEntries& DataSelection::of(Split split) {
  return split == Split::train ? train : split == Split::valid ? valid : test;
}

const SplitEntries& DataSelection::of(Split split) const {
  return const_cast<DataSelection*>(this)->of(split);
}

DataSelection select_data(const Protocol& protocol) {
  DataSelection selection;
  selection.source = protocol.file.string();
  selection.protocol = protocol.name;
  selection.protocol_hash = protocol.content_hash();
  selection.notes = protocol.notes();
  for (const Split split : kSplits) {
    for (const Role role : kRoles) {
      selection.of(split).of(role) = protocol.manifest(split, role).entries;
    }
  }
  return selection;
}

DataSelection select_data(const DataOptions& options) {
  if (!options.protocol.empty()) return select_data(Protocol::read(options.protocol));
  DataSelection selection;
  take_manifest(options.speech, Role::speech, selection);
  take_manifest(options.noise, Role::noise, selection);
  take_manifest(options.pairs, Role::pairs, selection);
  return selection;
}

TestSet read_test_set(const std::string& manifest, const std::string& protocol) {
  TestSet set;
  if (protocol.empty()) {
    set.pairs = Manifest::read(manifest);
  } else {
    const Protocol locked = Protocol::read(protocol);
    set.pairs = locked.manifest(Split::test, Role::pairs);
    set.notes = locked.notes();
  }
  const std::string source = set.pairs.path.string();
  if (set.pairs.kind != Kind::pairs) {
    throw DataError(source + ": lists recordings; a set to evaluate on lists pairs");
  }
  if (set.pairs.entries.empty()) throw DataError(source + ": names no pairs to evaluate on");
  return set;
}

}  // namespace limbeck
