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
constexpr const char* kStartFile = "start.json";
constexpr const char* kEnvironmentFile = "environment.json";
constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kEventsFolder = "tensorboard";
constexpr const char* kDivergedKey = "diverged";  // of an entry in metrics.jsonl
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kSkippedFolder = "diverged";
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kStateFile = "state.json";
constexpr const char* kManifestFile = "manifest.json";
constexpr const char* kValidationFile = "validation.json";
constexpr const char* kKeptLinesFile = "kept_lines.jsonl";  // of metrics, beside what they lack

/// Throws DataError where that cannot be told (no permission, a failing disk): nothing may be
/// taken for missing, and be made anew, because it could not be looked at.
bool is_there(const std::filesystem::path& path);

/// The same, and true for a symbolic link that leads nowhere: something that has to make way.
bool lies_there(const std::filesystem::path& path);

/// A whole file; nothing where there is none, or no longer. Throws DataError.
std::optional<std::string> read_if_there(const std::filesystem::path& path);

/// What a folder holds, in no order; nothing where there is none. Throws DataError.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

/// True for what is left of a write that was cut short.
bool is_temporary(const std::filesystem::path& path);

/// Removes a file or folder so that at no time a part of it stands under its name. Throws DataError
/// if it still stands; what is left of it under a temporary name does no harm.
void remove_at_once(const std::filesystem::path& path);

/// The step of a checkpoint by the name of its folder; −1 for a folder of another kind.
int64_t step_of(const std::filesystem::path& checkpoint);

/// All checkpoints of a run, sound or not, oldest first.
std::vector<std::filesystem::path> checkpoint_folders(const std::filesystem::path& run);

/// The checkpoint that `which` ("best" or "last") points to, be it there or not; nothing where no
/// pointer can be read.
std::optional<std::filesystem::path> pointed_checkpoint(const std::filesystem::path& run,
                                                        const std::string& which);

}  // namespace limbeck
