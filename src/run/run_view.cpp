#include "limbeck/run/run_view.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "limbeck/core/lock.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/length_plan.h"
#include "limbeck/run/rounding.h"
#include "run/layout.h"
#include "run/metrics_lines.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// More than the longest line that a step writes.
constexpr std::streamoff kTailBytes = 65536;

std::string tail_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? std::streamoff(in.tellg()) : 0;
  if (size <= 0) return "";
  std::string text(static_cast<size_t>(std::min(size, kTailBytes)), '\0');
  in.seekg(size - static_cast<std::streamoff>(text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

/// The last whole line of a metrics.jsonl; null where there is none.
nlohmann::json last_entry(const fs::path& path) {
  std::string text = tail_of(path);
  while (!text.empty()) {
    const size_t end = text.find_last_not_of('\n') + 1;
    text.resize(end);
    const size_t start = text.rfind('\n') + 1;  // npos + 1 is 0
    auto line = parse_json_if_sound<nlohmann::json>(text.substr(start));
    if (line.is_object()) return line;
    text.resize(start);  // being written, or cut short by a crash
  }
  return nullptr;
}

}  // namespace

const char* to_string(RunState state) {
  switch (state) {
    case RunState::empty:
      return "empty";
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::diverged:
      return "diverged";
    case RunState::interrupted:
      return "interrupted";
  }
  return "";
}

bool RunView::exists() const {
  return is_there(folder_ / kIdentityFile) || is_there(folder_ / kConfigFile) ||
         is_there(folder_ / kCheckpoints);
}

bool RunView::has_identity() const { return is_there(folder_ / kIdentityFile); }

Identity RunView::identity() const {
  const fs::path path = folder_ / kIdentityFile;
  if (!has_identity()) {
    throw CheckpointError(
        folder_.string() +
        (exists() ? ": is a run without identity.json, of an older version than this one; it has "
                    "to be trained anew, or name one of its model files"
                  : ": no such run"));
  }
  const std::string text = read_file(path);
  try {
    return Identity::parse(text, path.string());
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
}

RunView::Found RunView::find(const std::string& which, const std::string& only, Look look) const {
  std::vector<fs::path> folders;
  if (which == "last") folders = checkpoint_folders(folder_);
  const auto pointed = pointed_checkpoint(folder_, which);
  if (pointed && std::find(folders.begin(), folders.end(), *pointed) == folders.end()) {
    folders.push_back(*pointed);
  }
  Found found;
  for (auto folder = folders.rbegin(); folder != folders.rend() && !found.folder; ++folder) {
    const std::string wrong = check_checkpoint(*folder, only, look);
    if (wrong.empty()) {
      found.folder = *folder;
    } else {
      found.unusable.push_back(folder->filename().string() + ": " + wrong);
    }
  }
  return found;
}

RunView::FoundModel RunView::look_for_model(const std::string& which) const {
  identity();  // so that it is of this version
  const auto [sound, unusable] = find(which, kModelFile);
  if (sound) return {*sound / kModelFile, recorded_hash(*sound, kModelFile), unusable};
  const auto wanted = pointed(which);
  if (!wanted) {
    throw CheckpointError(folder_.string() + ": no checkpoint yet (" + which +
                          ".json is missing or malformed)");
  }
  throw CheckpointError(wanted->string() + ": damaged: " + check_checkpoint(*wanted, kModelFile));
}

std::string RunView::recorded_model_hash(const std::string& which) const {
  const auto wanted = pointed(which);
  return wanted ? recorded_hash(*wanted, kModelFile) : "";
}

std::optional<fs::path> RunView::pointed(const std::string& which) const {
  return pointed_checkpoint(folder_, which);
}

int64_t RunView::progress() const {
  const auto entry = last_entry(folder_ / kMetricsFile);
  return entry.is_object() ? step_in(entry).value_or(0) : 0;
}

bool RunView::diverged() const {
  const auto entry = last_entry(folder_ / kMetricsFile);
  return entry.is_object() && entry.contains(kDivergedKey);
}

bool RunView::finished(const Found& last) const {
  if (!last.folder) return false;
  const fs::path file = *last.folder / kStateFile;
  try {
    const auto validation = validation_of(*last.folder);
    if (!validation) return false;
    auto state = parse_json<nlohmann::json>(read_file(file));
    state.update(parse_json<nlohmann::json>(*validation));
    // A run that was extended knows so before its next checkpoint does.
    const auto extensions = has_identity() ? extensions_in(identity()) : std::vector<Extension>();
    int64_t last_step =
        extensions.empty() ? state.at("planned_steps").get<int64_t>() : extensions.back().to;
    const auto stop_step = state.value("stop_step", last_step);
    if (extensions.empty() || stop_step > extensions.back().at) {
      last_step = std::min(last_step, stop_step);
    }
    return state.at("step").get<int64_t>() >= last_step;
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file.string() + ": malformed: " + e.what());
  }
}

RunState RunView::state(const Found& last) const {
  if (!exists()) return RunState::empty;
  if (is_locked(folder_)) return RunState::running;
  if (diverged()) return RunState::diverged;
  return finished(last) ? RunState::finished : RunState::interrupted;
}

int64_t RunView::skipped() const {
  const Found last = look_for("last", Look::sizes);
  if (!last.folder) return 0;
  const fs::path file = *last.folder / kStateFile;
  const auto text = read_if_there(file);
  if (!text) return 0;  // a run in training has just replaced it
  try {
    const auto state = parse_json<nlohmann::json>(*text);
    return state.contains("skipped") ? state["skipped"].at("total").get<int64_t>() : 0;
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file.string() + ": malformed: " + e.what());
  }
}

std::optional<TrainingRecord> RunView::record() const {
  const fs::path path = folder_ / kRecordFile;
  const auto text = read_if_there(path);
  return text ? std::optional(TrainingRecord::parse(*text, path.string())) : std::nullopt;
}

std::optional<StartRecord> RunView::start() const {
  const fs::path path = folder_ / kStartFile;
  const auto text = read_if_there(path);
  return text ? std::optional(StartRecord::parse(*text, path.string())) : std::nullopt;
}

std::map<std::string, std::string> RunView::environment() const {
  return rounding_in(read_if_there(folder_ / kEnvironmentFile).value_or(""));
}

std::vector<std::string> fallback_warnings(const std::vector<std::string>& unusable) {
  std::vector<std::string> warnings;
  for (const std::string& one : unusable) {
    warnings.push_back("checkpoint " + one + "; an older one is used");
  }
  return warnings;
}

}  // namespace limbeck
