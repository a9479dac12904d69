#include "limbeck/run/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/safetensors.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 1;

/// Names and shapes of the tensors of a safetensors file, as its own header states them.
nlohmann::json tensor_shapes(const std::string& bytes, const std::string& file) {
  nlohmann::json shapes = nlohmann::json::object();
  for (const auto& [name, entry] : parse_safetensors_header(bytes, file).tensors) {
    shapes[name] = entry.shape;
  }
  return shapes;
}

std::string name_of(int64_t step) { return format("step-%08d", step); }

/// What validation found it to be worth, if that is known.
std::optional<double> value_of(const fs::path& folder) {
  const auto found = validation_of(folder);
  if (!found) return std::nullopt;
  const auto parsed = parse_json<nlohmann::json>(*found);
  const auto value = parsed.find("value");
  if (value == parsed.end() || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

/// A name of something in a folder, and of nothing elsewhere: these are read from files that
/// somebody else may have written, and what they name is read and copied.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

/// Empty if `path` holds what the manifest's `entry` says.
std::string check_file(const fs::path& path, const nlohmann::json& entry, Look look) {
  if (look == Look::sizes) {
    if (!is_there(path)) return "missing";
    const auto size = on_disk([&] { return fs::file_size(path); });
    return size == entry.at("bytes").get<uint64_t>() ? "" : "another size";
  }
  const auto contents = read_if_there(path);
  if (!contents) return "missing";
  if (contents->size() != entry.at("bytes").get<uint64_t>()) return "another size";
  const bool same =
      hash_bytes(contents->data(), contents->size()) == entry.at("xxh3_128").get<std::string>();
  return same ? "" : "another content";
}

void write_files(const fs::path& folder, int64_t step, const CheckpointFiles& files) {
  on_disk([&] { fs::create_directories(folder); });
  nlohmann::json manifest = {
      {"format", kFormatVersion}, {"step", step}, {"files", nlohmann::json::object()}};
  for (const auto& [file, contents] : files) {
    write_file_atomically(folder / file, contents);
    nlohmann::json& entry = manifest["files"][file];
    entry["bytes"] = contents.size();
    entry["xxh3_128"] = hash_bytes(contents.data(), contents.size());
    if (file.ends_with(".safetensors")) entry["tensors"] = tensor_shapes(contents, file);
  }
  write_file_atomically(folder / kManifestFile, json_text(manifest, 2) + "\n");
  sync_path(folder);
}

}  // namespace

int64_t step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int64_t step = -1;
  std::from_chars(name.data() + std::min(name.size(), name.find('-') + 1),
                  name.data() + name.size(), step);
  return step;
}

void KeepOptions::describe(config::Visitor& v) {
  v.value("last", last, "the newest so many", config::at_least(1).no_effect());
  v.value("best", best, "so many of the best, by train.select", config::at_least(1).no_effect());
  v.value("every", every, "those at multiples of so many steps; 0: none for that",
          config::at_least(0).no_effect());
}

CheckpointStore::CheckpointStore(fs::path run, const KeepOptions& keep)
    : run_(std::move(run)), keep_(keep) {}

void CheckpointStore::save(int64_t step, const CheckpointFiles& files, bool is_best) {
  const fs::path folder = run_ / kCheckpoints / name_of(step);
  const fs::path temporary = temporary_sibling(folder);
  try {
    write_files(temporary, step, files);
    if (lies_there(folder)) remove_at_once(folder);  // whole or not: it was not gone on from
    on_disk([&] { fs::rename(temporary, folder); });
  } catch (const Error&) {
    unfinished_.push_back(temporary);
    remove_unfinished();
    throw;
  }
  remove_unfinished();
  sync_path(run_ / kCheckpoints);
  if (is_best) point("best", step);
  point("last", step);
  remove_others();
}

/// What cannot be removed (from a folder that has become read-only) is tried again next time.
void CheckpointStore::remove_unfinished() {
  std::erase_if(unfinished_, [](const fs::path& folder) {
    std::error_code failed;
    fs::remove_all(folder, failed);
    return !failed;
  });
}

void CheckpointStore::add_validation(int64_t step, const std::string& json, bool is_best) {
  if (is_best) point("best", step);
  write_file_atomically(run_ / kCheckpoints / name_of(step) / kValidationFile, json);
  remove_others();
}

void CheckpointStore::settle(int64_t last_step, int64_t best_step) {
  repoint("best", best_step);
  repoint("last", last_step);
  remove_others();
}

void CheckpointStore::repoint(const std::string& which, int64_t step) {
  const fs::path folder = run_ / kCheckpoints / name_of(step);
  if (is_there(folder) && pointed_checkpoint(run_, which) != folder) point(which, step);
}

void CheckpointStore::point(const std::string& which, int64_t step) {
  const nlohmann::json pointer = {{"checkpoint", name_of(step)}, {"step", step}};
  write_file_atomically(run_ / (which + ".json"), json_text(pointer) + "\n");
}

/// Removes the checkpoints that are not to be kept, unless a pointer cannot be understood. Those
/// that the pointers name stay; those after `last` were not gone on from, and go.
void CheckpointStore::remove_others() const {
  const auto best = pointed_checkpoint(run_, "best");
  const auto last = pointed_checkpoint(run_, "last");
  if (!last || (!best && is_there(run_ / "best.json"))) return;
  const std::vector<fs::path> all = checkpoint_folders(run_);
  std::vector<fs::path> earlier;  // newest first
  for (const fs::path& folder : all) {
    if (step_of(folder) <= step_of(*last)) earlier.insert(earlier.begin(), folder);
  }
  std::set<fs::path> kept = {*last};
  if (best) kept.insert(*best);
  const auto keep_first = [&](int64_t count) {
    for (size_t i = 0; i < earlier.size() && std::cmp_less(i, count); ++i) kept.insert(earlier[i]);
  };
  keep_first(keep_.last);
  for (const fs::path& folder : earlier) {
    if (keep_.every > 0 && step_of(folder) % keep_.every == 0) kept.insert(folder);
  }
  if (keep_.best > 1) {
    std::map<fs::path, double> values;
    for (const fs::path& folder : earlier) {
      if (const auto value = value_of(folder)) values[folder] = *value;
    }
    std::erase_if(earlier, [&](const fs::path& folder) { return !values.contains(folder); });
    std::reverse(earlier.begin(), earlier.end());  // of equals the first is the best
    std::stable_sort(earlier.begin(), earlier.end(),
                     [&](const fs::path& a, const fs::path& b) { return values[a] > values[b]; });
    keep_first(keep_.best);
  }
  for (const fs::path& folder : all) {
    if (!kept.contains(folder)) remove_at_once(folder);
  }
}

std::optional<std::string> validation_of(const fs::path& checkpoint) {
  auto text = read_if_there(checkpoint / kValidationFile);
  if (!text || !parse_json_if_sound<nlohmann::json>(*text).is_object()) return std::nullopt;
  return text;
}

std::string check_checkpoint(const fs::path& checkpoint, const std::string& only, Look look) {
  const auto text = read_if_there(checkpoint / kManifestFile);
  if (!text) return "manifest.json: missing";
  try {
    const auto manifest = parse_json<nlohmann::json>(*text);
    if (manifest.at("format").get<int>() != kFormatVersion)
      return "manifest.json: another format version";
    const auto& files = manifest.at("files");
    if (!only.empty() && !files.contains(only)) return only + ": not in manifest.json";
    for (const auto& [file, entry] : files.items()) {
      if (!only.empty() && file != only) continue;
      if (!is_plain_name(file)) return "manifest.json: '" + file + "' is no file of the checkpoint";
      const std::string wrong = check_file(checkpoint / file, entry, look);
      if (!wrong.empty()) return file + ": " + wrong;
    }
  } catch (const nlohmann::json::exception& e) {
    return std::string("manifest.json: ") + e.what();
  }
  return "";
}

std::string recorded_hash(const fs::path& checkpoint, const std::string& file) {
  const auto text = read_if_there(checkpoint / kManifestFile);
  if (!text) return "";
  try {
    const auto manifest = parse_json<nlohmann::json>(*text);
    if (manifest.at("format").get<int>() != kFormatVersion) return "";
    return manifest.at("files").at(file).at("xxh3_128").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return "";
  }
}

std::vector<fs::path> checkpoint_folders(const fs::path& run) {
  std::vector<fs::path> folders = entries_of(run / kCheckpoints);
  std::erase_if(folders,
                [](const fs::path& f) { return !f.filename().string().starts_with("step-"); });
  std::sort(folders.begin(), folders.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(step_of(a), a) < std::pair(step_of(b), b);
  });
  return folders;
}

std::optional<fs::path> pointed_checkpoint(const fs::path& run, const std::string& which) {
  const auto text = read_if_there(run / (which + ".json"));
  if (!text) return std::nullopt;
  try {
    const auto name = parse_json<nlohmann::json>(*text).at("checkpoint").get<std::string>();
    return is_plain_name(name) ? std::optional(run / kCheckpoints / name) : std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace limbeck
