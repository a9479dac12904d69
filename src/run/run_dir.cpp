#include "limbeck/run/run_dir.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Everything that a run writes; --restart removes these and nothing else.
constexpr const char* kContents[] = {kCheckpoints,       "best.json",  "last.json",
                                     "train.log",        kConfigFile,  kIdentityFile,
                                     "environment.json", kMetricsFile, kRecordFile};

/// Throws ConfigError for a folder that holds something, but no run.
void refuse_foreign(const fs::path& path) {
  if (RunView(path).exists() || !fs::exists(path)) return;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(path, unreadable)) {
    if (entry.path().filename() == "lock") continue;
    throw ConfigError(path.string() + ": is not a run folder: it holds " +
                      entry.path().filename().string() + " but no " + kIdentityFile);
  }
}

void refuse_another(const RunView& run, const Identity& planned) {
  std::vector<std::string> changed;
  try {
    changed = run.identity().differences(planned);
  } catch (const Error& e) {
    throw ConfigError(std::string(e.what()) + "; give another run.dir, or --restart to start over");
  }
  if (changed.empty()) return;
  throw ConfigError(
      run.path().string() +
      ": holds a run of another configuration; give another run.dir, or --restart to start "
      "over. Differences:\n  " +
      join(changed, "\n  "));
}

}  // namespace

RunDir::RunDir(fs::path path, const Identity& identity, const config::Node& config, bool restart)
    : path_(std::move(path)), metrics_(path_ / kMetricsFile) {
  refuse_foreign(path_);
  std::error_code failed;
  fs::create_directories(path_, failed);
  if (failed) throw DataError(path_.string() + ": cannot be made: " + failed.message());
  lock_ = std::make_unique<DirectoryLock>(path_);
  if (restart) {
    for (const char* name : kContents) fs::remove_all(path_ / name);
  }
  if (RunView(path_).exists()) {
    refuse_another(RunView(path_), identity);
  } else {
    write_file_atomically(path_ / kIdentityFile, identity.text());
  }
  write_file_atomically(path_ / kConfigFile, config::to_yaml(config));
}

void RunDir::write_record(const TrainingRecord& record) const {
  write_file_atomically(path_ / kRecordFile, record.text());
}

void RunDir::write_divergence(const std::string& reason) {
  const nlohmann::json entry = {{"step", RunView(path_).progress() + 1}, {kDivergedKey, reason}};
  metrics_.append(entry.dump());
}

}  // namespace limbeck
