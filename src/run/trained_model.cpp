#include "limbeck/run/trained_model.h"

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// By its own name. Throws CheckpointError if it is not what a manifest beside it says.
RunView::FoundModel take_file(const fs::path& file) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (is_there(folder / kManifestFile)) {
    const std::string wrong = check_checkpoint(folder, file.filename().string());
    if (!wrong.empty()) throw CheckpointError(folder.string() + ": damaged: " + wrong);
  }
  return {file, hash_file(file), {}};
}

RunView::FoundModel find_file(const fs::path& path, const std::string& which) {
  if (on_disk([&] { return fs::is_regular_file(path); })) return take_file(path);
  if (is_there(path / kModelFile)) return take_file(path / kModelFile);
  const RunView run(path);
  if (!run.exists()) {
    throw CheckpointError(path.string() + ": no such model file, checkpoint or run");
  }
  return run.look_for_model(which);
}

}  // namespace

TrainedModel find_model(const fs::path& path, const std::string& which) {
  const RunView::FoundModel found = find_file(path, which);
  TrainedModel model;
  model.file = found.file;
  model.hash = found.hash;
  model.warnings = fallback_warnings(found.unusable);
  const fs::path folder = fs::absolute(model.file).parent_path();
  const bool in_run = folder.parent_path().filename() == kCheckpoints;
  const RunView run(in_run ? folder.parent_path().parent_path() : folder);
  if (is_there(run.path() / kIdentityFile)) model.identity = run.identity();
  model.record = run.record();
  if (in_run) model.skipped = run.skipped();
  return model;
}

std::string read_found(const TrainedModel& model, const std::string& key) {
  std::string bytes = read_file(model.file);
  if (hash_bytes(bytes.data(), bytes.size()) != model.hash) {
    throw ConfigError(key + ": " + model.file.string() +
                      ": was written anew just now; start again");
  }
  return bytes;
}

}  // namespace limbeck
