#include "limbeck/run/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
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

void write_files(const fs::path& folder, int64_t step,
                 const std::map<std::string, std::string>& files) {
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
  write_file_atomically(folder / kManifestFile, manifest.dump(2) + "\n");
  sync_path(folder);
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path run) : run_(std::move(run)) {}

void CheckpointStore::save(int64_t step, const std::map<std::string, std::string>& files,
                           bool is_best) {
  const fs::path folder = run_ / kCheckpoints / name_of(step);
  const fs::path temporary = temporary_sibling(folder);
  try {
    write_files(temporary, step, files);
    if (is_there(folder)) remove_at_once(folder);  // whole or not: it was not gone on from
    on_disk([&] { fs::rename(temporary, folder); });
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  sync_path(run_ / kCheckpoints);
  if (is_best) point("best", step);
  point("last", step);
  remove_others();
}

void CheckpointStore::add_validation(int64_t step, const std::string& json, bool is_best) {
  if (is_best) point("best", step);
  write_file_atomically(run_ / kCheckpoints / name_of(step) / kValidationFile, json);
  remove_others();
}

void CheckpointStore::settle(int64_t best_step) {
  const fs::path best = run_ / kCheckpoints / name_of(best_step);
  if (is_there(best) && pointed_checkpoint(run_, "best") != best) point("best", best_step);
  remove_others();
}

void CheckpointStore::point(const std::string& which, int64_t step) {
  const nlohmann::json pointer = {{"checkpoint", name_of(step)}, {"step", step}};
  write_file_atomically(run_ / (which + ".json"), pointer.dump() + "\n");
}

/// Removes the checkpoints that neither pointer names, unless one cannot be understood.
void CheckpointStore::remove_others() const {
  const auto best = pointed_checkpoint(run_, "best");
  const auto last = pointed_checkpoint(run_, "last");
  if (!last || (!best && is_there(run_ / "best.json"))) return;
  for (const fs::path& other : checkpoint_folders(run_)) {
    if (other != *last && other != best) remove_at_once(other);
  }
}

std::optional<std::string> validation_of(const fs::path& checkpoint) {
  auto text = read_if_there(checkpoint / kValidationFile);
  return text && nlohmann::json::accept(*text) ? std::move(text) : std::nullopt;
}

std::string check_checkpoint(const fs::path& checkpoint, const std::string& only, Look look) {
  const auto text = read_if_there(checkpoint / kManifestFile);
  if (!text) return "manifest.json: missing";
  try {
    const auto manifest = nlohmann::json::parse(*text);
    if (manifest.at("format").get<int>() != kFormatVersion)
      return "manifest.json: another format version";
    const auto& files = manifest.at("files");
    if (!only.empty() && !files.contains(only)) return only + ": not in manifest.json";
    for (const auto& [file, entry] : files.items()) {
      if (!only.empty() && file != only) continue;
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
    const auto manifest = nlohmann::json::parse(*text);
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
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::optional<fs::path> pointed_checkpoint(const fs::path& run, const std::string& which) {
  const auto text = read_if_there(run / (which + ".json"));
  if (!text) return std::nullopt;
  try {
    return run / kCheckpoints / nlohmann::json::parse(*text).at("checkpoint").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace limbeck
