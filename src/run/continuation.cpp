#include "limbeck/run/continuation.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/run/checkpoint.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFork = "fork";

/// What two runs have in common of which one is the other extended.
Identity without_length(Identity identity) {
  for (const char* key : {"train.steps", "train.epochs", "train.extended"}) {
    identity.set(key, config::Node());
  }
  return identity;
}

nlohmann::json read_json(const fs::path& file) {
  try {
    return parse_json<nlohmann::json>(read_file(file));
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file.string() + ": malformed: " + e.what());
  }
}

struct Standing {
  int64_t done = 0;
  int64_t planned = 0;
};

Standing standing_of(const fs::path& checkpoint) {
  const fs::path file = checkpoint / kStateFile;
  const nlohmann::json state = read_json(file);
  try {
    return {state.value("step", int64_t{0}), state.value("planned_steps", int64_t{0})};
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file.string() + ": malformed: " + e.what());
  }
}

}  // namespace

std::optional<Identity> stored_identity(const RunView& run) {
  try {
    return run.has_identity() ? std::optional(run.identity()) : std::nullopt;
  } catch (const CheckpointError&) {
    return std::nullopt;
  }
}

Continuation continue_run(const RunView& run, const std::optional<Identity>& stored,
                          const Identity& planned, int64_t steps, bool extend) {
  const Continuation as_planned = {planned, std::nullopt, LengthPlan(steps)};
  if (!stored || !(without_length(*stored) == without_length(planned))) return as_planned;
  std::vector<Extension> extensions = extensions_in(*stored);
  Identity identity = planned;
  set_extensions(identity, extensions);
  if (identity == *stored) return {identity, std::nullopt, LengthPlan(steps, extensions)};

  const RunView::Found last = run.look_for("last");
  if (!last.folder && !last.unusable.empty()) return as_planned;
  const auto [done, planned_before] = last.folder ? standing_of(*last.folder) : Standing();
  const int64_t before = extensions.empty() ? planned_before : extensions.back().to;
  const std::string path = run.path().string();
  if (steps < done) {
    throw ConfigError(
        format("%s: has %d steps done already, and only %d are asked for", path, done, steps));
  }
  if (steps < before) {
    throw ConfigError(
        format("%s: is planned for %d steps, and only %d are asked for; a run can be "
               "extended, but not shortened",
               path, before, steps));
  }
  if (steps == before) return as_planned;
  if (!extend) {
    throw ConfigError(
        format("%s: holds a run that differs in its length alone: %d of %d steps are done, and %d "
               "are asked for; --extend goes on with it to there, --restart starts over, or give "
               "another run.dir",
               path, done, before, steps));
  }
  if (done > 0) extensions.push_back({done, before, steps});
  set_extensions(identity, extensions);
  return {identity, stored, LengthPlan(steps, extensions)};
}

Fork find_fork(const fs::path& run, const std::string& which) {
  const RunView view(run);
  Fork fork;
  try {
    fork.parent = view.identity().hash();
    const auto found = view.look_for(which);
    if (!found.folder) {
      throw CheckpointError(run.string() + ": no sound checkpoint (" + which + ")" +
                            (found.unusable.empty() ? "" : ": " + join(found.unusable, "; ")));
    }
    fork.checkpoint = *found.folder;
    const auto named = read_json(fork.checkpoint / kManifestFile).at("files");
    named.at(kStateFile);  // which the fork begins with
    const std::string files = named.dump();
    fork.content = hash_bytes(files.data(), files.size());
    fork.step = read_json(fork.checkpoint / kStateFile).at("step").get<int64_t>();
    fork.record = view.record();
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("--fork: ") + e.what());
  } catch (const nlohmann::json::exception& e) {
    throw ConfigError("--fork: " + fork.checkpoint.string() + ": malformed: " + e.what());
  }
  return fork;
}

std::optional<Fork> plan_fork(const RunView& run, const std::optional<Identity>& stored,
                              const fs::path& parent, const std::string& which, Identity& planned) {
  const config::Node* known = stored ? stored->facts().find(kFork) : nullptr;
  if (known != nullptr && run.look_for("last").folder) {
    planned.set(kFork, *known);
    const auto given = parent.empty() ? std::nullopt : stored_identity(RunView(parent));
    if (given) planned.set("fork.parent", given->hash());
    return std::nullopt;
  }
  if (parent.empty()) {
    if (known == nullptr) return std::nullopt;
    throw ConfigError(run.path().string() +
                      ": is a fork of another run, and has no checkpoint yet; give --fork with "
                      "that run, or --restart to start over");
  }
  Fork fork = find_fork(parent, which);
  planned.set("fork.parent", fork.parent);
  planned.set("fork.checkpoint", fork.content);
  return fork;
}

void begin_with(const Fork& fork, const RunDir& run, int64_t planned_steps) {
  CheckpointFiles files;
  const nlohmann::json manifest = read_json(fork.checkpoint / kManifestFile);
  for (const auto& [name, entry] : manifest.at("files").items()) {
    if (name != kKeptLinesFile) files[name] = read_file(fork.checkpoint / name);
  }
  // What was found under another configuration is not comparable.
  auto state = parse_json<nlohmann::json>(files.at(kStateFile));
  state["planned_steps"] = planned_steps;
  state.erase("found");
  state.erase("since_last_line");
  files[kStateFile] = json_text(state, 2) + "\n";
  CheckpointStore(run.path()).save(fork.step, files);
}

}  // namespace limbeck
