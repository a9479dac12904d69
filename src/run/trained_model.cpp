#include "limbeck/run/trained_model.h"

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

fs::path find_file(const fs::path& path, const std::string& which) {
  if (on_disk([&] { return fs::is_regular_file(path); })) return path;
  if (is_there(path / kModelFile)) return path / kModelFile;
  const RunView run(path);
  if (!run.exists()) {
    throw CheckpointError(path.string() + ": no such model file, checkpoint or run");
  }
  return run.model_file(which);
}

}  // namespace

TrainedModel find_model(const fs::path& path, const std::string& which) {
  TrainedModel model;
  model.file = find_file(path, which);
  const fs::path folder = fs::absolute(model.file).parent_path();
  if (is_there(folder / kManifestFile)) {
    const std::string wrong = check_checkpoint(folder, model.file.filename().string());
    if (!wrong.empty()) throw CheckpointError(folder.string() + ": damaged: " + wrong);
  }
  model.hash = hash_file(model.file);
  const bool in_run = folder.parent_path().filename() == kCheckpoints;
  const RunView run(in_run ? folder.parent_path().parent_path() : folder);
  if (is_there(run.path() / kIdentityFile)) model.identity = run.identity();
  model.record = run.record();
  return model;
}

}  // namespace limbeck
