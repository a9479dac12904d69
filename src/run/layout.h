#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace limbeck {

// Where things lie in the folder of a run; for those in this layer that write and read it.

constexpr const char* kIdentityFile = "identity.json";
constexpr const char* kConfigFile = "config.yaml";
constexpr const char* kRecordFile = "data.json";
constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kDivergedKey = "diverged";  // of an entry in metrics.jsonl
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kStateFile = "state.json";
constexpr const char* kManifestFile = "manifest.json";

/// All checkpoints of a run, sound or not, oldest first.
std::vector<std::filesystem::path> checkpoint_folders(const std::filesystem::path& run);

/// The checkpoint that `which` ("best" or "last") points to, be it there or not; nothing where no
/// pointer can be read.
std::optional<std::filesystem::path> pointed_checkpoint(const std::filesystem::path& run,
                                                        const std::string& which);

}  // namespace limbeck
