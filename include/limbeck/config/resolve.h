#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/config/reader.h"

namespace limbeck::config {

/// Reads the files in order, each with what it `extends`, merges them (later wins), then applies
/// `--set` arguments ("a.b=c"; "a.0.b=c" reaches into a list). Any map may name bases:
/// `extends: [a.yaml]`, relative to the file it stands in. Where a file or `--set` chooses another
/// `type` than the one below it, the options of that one are dropped, and where it gives a length
/// in epochs that was in steps, or the other way, the earlier one is (see merge). What several
/// `--set` give stays, so that it is refused where it does not fit together.
Node resolve(const std::vector<std::filesystem::path>& files, const std::vector<std::string>& sets,
             Diagnostics& diagnostics);

/// Puts `value` under a dotted key, with its place, as `--set` does.
void set_at(Node& root, const std::string& key, const Node& value, Diagnostics& diagnostics);

/// resolve() and read() in one; throws ConfigError with every message.
template <class Options>
Options load(const std::vector<std::filesystem::path>& files,
             const std::vector<std::string>& sets) {
  Diagnostics diagnostics;
  const Node node = resolve(files, sets, diagnostics);
  Options options = read<Options>(node, diagnostics);
  diagnostics.throw_if_any();
  return options;
}

/// Leaves in which the two trees differ, as "train.steps: 100 → 200", for messages.
std::vector<std::string> differences(const Node& before, const Node& after);

}  // namespace limbeck::config
