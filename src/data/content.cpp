#include "limbeck/core/files.h"
#include "limbeck/data/options.h"
#include "limbeck/data/selection.h"

namespace limbeck {
namespace {

constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

std::string lines_of(const std::vector<ManifestEntry>& entries, Role role) {
  Manifest manifest;
  manifest.kind = role == Role::pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings;
  manifest.entries = entries;
  return manifest.content_hash() + "\n";
}

/// Of the two splits that have a say in what comes out of training.
std::string hash_of(const DataSelection& data, const std::vector<Role>& roles) {
  std::string text;
  for (const Role role : roles) {
    for (const Split split : {Split::train, Split::valid}) {
      text += lines_of(data.of(split).of(role), role);
    }
  }
  return hash_bytes(text.data(), text.size());
}

}  // namespace

std::map<std::string, std::string> content_of(const DataOptions& options) {
  std::map<std::string, std::string> content;
  const DataSelection data = select_data(options);
  if (!options.protocol.empty()) {
    content["protocol"] = hash_of(data, {std::begin(kRoles), std::end(kRoles)});
  }
  if (!options.speech.empty()) content["speech"] = hash_of(data, {Role::speech});
  if (!options.noise.empty()) content["noise"] = hash_of(data, {Role::noise});
  if (!options.pairs.empty()) content["pairs"] = hash_of(data, {Role::pairs});
  if (const std::string& named = options.mixture.reverb.responses; !named.empty()) {
    std::string text;
    for (const Split split : {Split::train, Split::valid}) {
      text += lines_of(find_responses(named, split, options.rate_hz), Role::noise);
    }
    content["reverb.responses"] = hash_bytes(text.data(), text.size());
  }
  if (!options.valid_recipes.empty()) content["valid_recipes"] = hash_file(options.valid_recipes);
  return content;
}

}  // namespace limbeck
