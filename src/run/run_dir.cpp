#include "limbeck/run/run_dir.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/place.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Everything that a run writes; --restart removes these and nothing else, in this order: wherever
/// it is cut short, the folder is the old run with less in it, which can be gone on with or be
/// restarted. identity.json, by which a run is known, goes last.
constexpr const char* kContents[] = {"best.json",   "last.json", kCheckpoints,   kMetricsFile,
                                     kEventsFolder, "train.log", kSkippedFolder, kEnvironmentFile,
                                     kStartFile,    kRecordFile, kConfigFile,    kIdentityFile};

/// Throws ConfigError for a folder that holds something, but no run.
void refuse_foreign(const fs::path& path) {
  if (RunView(path).exists()) return;
  for (const fs::path& entry : entries_of(path)) {
    if (entry.filename() == "lock" || is_temporary(entry)) continue;
    throw ConfigError(path.string() + ": is not a run folder: it holds " +
                      entry.filename().string() + " but no " + kIdentityFile);
  }
}

void refuse_another(const RunView& run, const Identity& planned) {
  std::vector<std::string> changed;
  try {
    changed = run.identity().differences(planned);
  } catch (const CheckpointError& e) {
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

RunDir::RunDir(fs::path path, const Identity& identity, const config::Node& config, bool restart,
               Logger* logger, const std::optional<Identity>& before)
    : path_(std::move(path)),
      trouble_(std::make_unique<WriteTrouble>(logger)),
      metrics_(path_ / kMetricsFile, trouble_.get()) {
  refuse_foreign(path_);
  make_folder(path_);
  lock_ = std::make_unique<DirectoryLock>(path_, logger);
  if (restart) {
    for (const char* name : kContents) {
      if (is_there(path_ / name)) remove_at_once(path_ / name);
    }
  }
  remove_stale_siblings(path_ / kCheckpoints / "any");
  for (const fs::path& checkpoint : checkpoint_folders(path_)) {
    remove_stale_siblings(checkpoint / "any");
  }
  known_by_[kIdentityFile] = identity.text();
  known_by_[kConfigFile] = config::to_yaml(config);
  const RunView view(path_);
  const bool is_replaced = before && view.has_identity() && view.identity() == *before;
  if (view.exists() && !is_replaced) {
    refuse_another(view, identity);
  } else {
    write_file_atomically(path_ / kIdentityFile, known_by_[kIdentityFile]);
  }
  write_file_atomically(path_ / kConfigFile, known_by_[kConfigFile]);
}

void RunDir::write_record(const TrainingRecord& record) {
  known_by_[kRecordFile] = record.text();
  write_file_atomically(path_ / kRecordFile, known_by_[kRecordFile]);
}

void RunDir::write_start(const StartRecord& start) {
  write_file_atomically(path_ / kStartFile, start.text());
}

void RunDir::require_there() const {
  const auto text = read_if_there(path_ / kIdentityFile);
  if (!text) throw DataError(path_.string() + ": the run is gone: removed, or no longer mounted");
  if (*text == known_by_.at(kIdentityFile)) return;
  throw DataError(path_.string() + ": the run is gone: another one lies there");
}

void RunDir::describe_in(const fs::path& folder) const {
  for (const auto& [name, text] : known_by_) write_file_atomically(folder / name, text);
}

fs::path RunDir::write_skipped(int64_t step, const std::string& json) {
  const fs::path file = path_ / kSkippedFolder / format("step-%08d.json", step);
  try {
    make_folder(file.parent_path());
    write_file_atomically(file, json);
    trouble_->over("batches of skipped steps");
  } catch (const DataError& e) {
    trouble_->tell("batches of skipped steps", e.what(), "training goes on");
  }
  return file;
}

void RunDir::write_divergence(int64_t step, const std::string& reason) {
  const nlohmann::json entry = {{"step", step}, {kDivergedKey, reason}};
  metrics_.append(json_text(entry));
}

}  // namespace limbeck
