#include "limbeck/data/selection.h"

#include "limbeck/core/error.h"

namespace limbeck {
namespace {

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};
constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

}  // namespace

std::vector<ManifestEntry>& SplitEntries::of(Role role) {
  return role == Role::speech ? speech : role == Role::noise ? noise : pairs;
}

const std::vector<ManifestEntry>& SplitEntries::of(Role role) const {
  return const_cast<SplitEntries*>(this)->of(role);
}

std::vector<Corpus> SplitEntries::corpora_of(Role role) const {
  const auto found = corpora.find(role);
  return found == corpora.end() ? std::vector<Corpus>{} : found->second;
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
  if (set.pairs.kind != Manifest::Kind::pairs) {
    throw DataError(source + ": lists recordings; a set to evaluate on lists pairs");
  }
  if (set.pairs.entries.empty()) throw DataError(source + ": names no pairs to evaluate on");
  return set;
}

}  // namespace limbeck
