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

}  // namespace

CheckpointStore::CheckpointStore(fs::path run) : run_(std::move(run)) {}

void CheckpointStore::save(int64_t step, const std::map<std::string, std::string>& files,
                           bool is_best) {
  const std::string name = format("step-%08d", step);
  const fs::path folder = run_ / kCheckpoints / name;
  const fs::path temporary = run_ / kCheckpoints / ("." + name + ".tmp");
  fs::remove_all(temporary);
  fs::create_directories(temporary);
  nlohmann::json manifest = {
      {"format", kFormatVersion}, {"step", step}, {"files", nlohmann::json::object()}};
  for (const auto& [file, contents] : files) {
    write_file_atomically(temporary / file, contents);
    nlohmann::json& entry = manifest["files"][file];
    entry["bytes"] = contents.size();
    entry["xxh3_128"] = hash_bytes(contents.data(), contents.size());
    if (file.ends_with(".safetensors")) entry["tensors"] = tensor_shapes(contents, file);
  }
  write_file_atomically(temporary / kManifestFile, manifest.dump(2) + "\n");
  sync_path(temporary);
  fs::remove_all(folder);
  fs::rename(temporary, folder);
  sync_path(run_ / kCheckpoints);
  if (is_best) point("best", name, step);
  point("last", name, step);

  const auto best = pointed_checkpoint(run_, "best");
  for (const fs::path& other : checkpoint_folders(run_)) {
    if (other != folder && other != best) fs::remove_all(other);
  }
}

std::string check_checkpoint(const fs::path& checkpoint, const std::string& only) {
  try {
    const auto manifest = nlohmann::json::parse(read_file(checkpoint / kManifestFile));
    if (manifest.at("format").get<int>() != kFormatVersion)
      return "manifest.json: another format version";
    const auto& files = manifest.at("files");
    if (!only.empty() && !files.contains(only)) return only + ": not in manifest.json";
    for (const auto& [file, entry] : files.items()) {
      if (!only.empty() && file != only) continue;
      const fs::path path = checkpoint / file;
      if (!fs::exists(path)) return file + ": missing";
      if (fs::file_size(path) != entry.at("bytes").get<uint64_t>()) return file + ": another size";
      if (hash_file(path) != entry.at("xxh3_128").get<std::string>())
        return file + ": another content";
    }
  } catch (const std::exception& e) {
    return std::string("manifest.json: ") + e.what();
  }
  return "";
}

void CheckpointStore::point(const std::string& which, const std::string& name, int64_t step) {
  const nlohmann::json pointer = {{"checkpoint", name}, {"step", step}};
  write_file_atomically(run_ / (which + ".json"), pointer.dump() + "\n");
}

std::vector<fs::path> checkpoint_folders(const fs::path& run) {
  std::vector<fs::path> folders;
  std::error_code none_yet;
  for (const auto& entry : fs::directory_iterator(run / kCheckpoints, none_yet)) {
    if (entry.path().filename().string().starts_with("step-")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::optional<fs::path> pointed_checkpoint(const fs::path& run, const std::string& which) {
  const fs::path path = run / (which + ".json");
  if (!fs::exists(path)) return std::nullopt;
  try {
    return run / kCheckpoints /
           nlohmann::json::parse(read_file(path)).at("checkpoint").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace limbeck
