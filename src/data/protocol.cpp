#include "limbeck/data/protocol.h"

#include <map>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/data/several.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};
constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

/// Calls `change` for the path of every locked manifest.
template <class Change>
void change_paths(Protocol& protocol, const Change& change) {
  for (const Split split : kSplits) {
    for (const Role role : kRoles) {
      for (LockedManifest& locked : protocol.of(split).of(role)) locked.path = change(locked.path);
    }
  }
}

void require_kind(const Manifest& manifest, Role role) {
  const bool pairs = manifest.kind == Manifest::Kind::pairs;
  if (pairs == (role == Role::pairs)) return;
  throw DataError(format("%s: lists %s, and cannot be %s", manifest.path,
                         pairs ? "pairs" : "recordings", role_name(role)));
}

Manifest read_locked(const fs::path& manifest, const fs::path& protocol) {
  try {
    return Manifest::read(manifest);
  } catch (const DataError& e) {
    throw DataError(format("%s (%s names it)", e.what(), protocol));
  }
}

/// Results go by id.
void require_new_ids(const Manifest& all, const Manifest& more) {
  std::map<std::string, fs::path> seen;
  for (const ManifestEntry& entry : all.entries) seen.emplace(entry.id, entry.audio.path);
  for (const ManifestEntry& entry : more.entries) {
    const auto other = seen.find(entry.id);
    if (other == seen.end()) continue;
    throw DataError(format("%s: two test pairs have the id '%s': %s and %s", all.path, entry.id,
                           other->second, entry.audio.path));
  }
}

}  // namespace

const char* role_name(Role role) {
  return role == Role::speech ? "speech" : role == Role::noise ? "noise" : "pairs";
}

void LockedManifest::describe(config::Visitor& v) {
  v.value("manifest", path, "manifest, relative to this file", config::any().required());
  v.value("hash", hash, "content hash of the manifest when it was locked",
          config::any().required());
}

void ProtocolSplit::describe(config::Visitor& v) {
  v.list("speech", speech, "manifests of clean recordings, to be mixed with noise");
  v.list("noise", noise, "manifests of noise recordings");
  v.list("pairs", pairs, "manifests of recorded pairs");
  v.require(speech.empty() == noise.empty(), "speech", "speech and noise go together");
  v.require(speech.empty() || pairs.empty(), "pairs",
            "give either both speech and noise, or pairs");
}

std::vector<LockedManifest>& ProtocolSplit::of(Role role) {
  return role == Role::speech ? speech : role == Role::noise ? noise : pairs;
}

const std::vector<LockedManifest>& ProtocolSplit::of(Role role) const {
  return const_cast<ProtocolSplit*>(this)->of(role);
}

void Protocol::describe(config::Visitor& v) {
  v.value("name", name, "name of the data set", config::any().required());
  v.value("format", format_version, "version of this file's format", config::any().required());
  v.value("partial", partial, "part of the data set that the name promises");
  v.value("note", note, "which part, or what else differs; shown under every table");
  v.value("leak", leak, "what --allow-leak let pass when this was locked; shown under every table");
  v.section("train", train, "what is trained on");
  v.section("valid", valid, "what the best checkpoint is chosen on");
  v.section("test", test, "what is reported on");
  v.require(!name.empty(), "name", "must not be empty");
  v.require(format_version == kFormat, "format", format("this program reads format %d", kFormat));
  v.require(!partial || !note.empty(), "note", "is required where partial is true");
  v.require(test.speech.empty() && test.noise.empty(), "test",
            "results need pairs: speech and noise cannot stand here");
  v.require(!train.empty() || !valid.empty() || !test.empty(), "train", "no manifest is named");
}

Protocol Protocol::read(const fs::path& path) {
  Protocol protocol = config::read_text<Protocol>(read_file(path), path.string());
  protocol.file = path;
  change_paths(protocol,
               [&](const std::string& one) { return (path.parent_path() / one).string(); });
  return protocol;
}

void Protocol::write(const fs::path& path) const {
  const fs::path folder = place_of(path).parent_path();
  Protocol placed = *this;
  change_paths(placed, [&](const std::string& one) { return path_from(folder, one); });
  const std::string text =
      "# Locks the manifests by content; made by limbeck-prepare. Make it again rather than edit a "
      "hash.\n" +
      config::to_yaml(config::to_node(placed));
  config::read_text<Protocol>(text, path.string());  // what is refused when it is read
  write_file_atomically(path, text);
}

void Protocol::add(Split split, Role role, const Manifest& manifest) {
  require_kind(manifest, role);
  if (manifest.filter(split).entries.empty()) {
    throw DataError(format("%s: no entry has split %s (of %d in the file)", manifest.path,
                           split_name(split), manifest.entries.size()));
  }
  of(split).of(role).push_back({manifest.path.string(), manifest.content_hash()});
}

const ProtocolSplit& Protocol::of(Split split) const {
  return const_cast<Protocol*>(this)->of(split);
}

ProtocolSplit& Protocol::of(Split split) {
  return split == Split::train ? train : split == Split::valid ? valid : test;
}

Manifest Protocol::manifest(Split split, Role role) const {
  Manifest all;
  all.kind = role == Role::pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings;
  all.path = file;
  size_t number = 0;
  std::map<std::string, std::string> path_of_content;
  for (const LockedManifest& locked : of(split).of(role)) {
    const auto [other, is_new] = path_of_content.emplace(locked.hash, locked.path);
    if (!is_new) {
      throw DataError(
          format("%s: names %s and %s for %s of %s, which list the same; name one of "
                 "them",
                 file, other->second, locked.path, role_name(role), split_name(split)));
    }
    const Manifest one = read_locked(locked.path, file);
    require_kind(one, role);
    const std::string hash = one.content_hash();
    if (hash != locked.hash) {
      throw DataError(format(
          "%s: changed since %s was locked (content hash %s, locked %s); bring it back, or lock it "
          "anew with limbeck-prepare protocol",
          locked.path, file, hash, locked.hash));
    }
    const Manifest part = one.filter(split);
    if (split == Split::test && role == Role::pairs) require_new_ids(all, part);
    append(all, part, ++number);
  }
  return all;
}

std::string Protocol::content_hash() const {
  std::string text;
  for (const Split split : kSplits) {
    for (const Role role : kRoles) {
      for (const LockedManifest& locked : of(split).of(role)) {
        text += format("%s %s %s\n", split_name(split), role_name(role), locked.hash);
      }
    }
  }
  return hash_bytes(text.data(), text.size());
}

std::vector<std::string> Protocol::notes() const {
  std::vector<std::string> notes;
  if (!note.empty()) notes.push_back((partial ? "partial set: " : "") + note + " (" + name + ")");
  if (!leak.empty()) notes.push_back("LEAK ALLOWED: " + leak);
  return notes;
}

}  // namespace limbeck
