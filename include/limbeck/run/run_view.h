#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/data/training_record.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/identity.h"
#include "limbeck/run/start_record.h"

namespace limbeck {

/// How a run stands.
enum class RunState {
  empty,        ///< nothing that looks like one lies there
  running,      ///< a process holds its lock
  finished,     ///< all planned steps are done, and the last one is validated
  diverged,     ///< see RunView::diverged
  interrupted,  ///< none of these: it was stopped, or killed, and the same command goes on with it
};

/// "running", …
const char* to_string(RunState state);

/// What a run has left in its folder, for all who read it: resuming, distilling, evaluating,
/// studies. Nothing is read before it is asked for, so that a run may be watched while it is
/// trained, or before it is begun. A checkpoint whose files are not what its manifest says counts
/// as not there; one that is there and cannot be read (no permission, a failing disk, too many open
/// files) does not: that is a DataError.
class RunView {
 public:
  explicit RunView(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& path() const { return folder_; }

  /// Something that looks like a run lies there, of this version or not.
  bool exists() const;

  /// Runs of older versions have none.
  bool has_identity() const;

  /// What its results are determined by. Throws CheckpointError for a run without identity.json,
  /// as older versions left it, or with one that is damaged; DataError if it cannot be read.
  Identity identity() const;

  /// A checkpoint, and what was passed over for it.
  struct Found {
    std::optional<std::filesystem::path> folder;
    std::vector<std::string> unusable;  ///< "step-00000008: model.safetensors: missing"
  };

  /// "best": the folder that it points to, if that is sound. "last": the newest sound one, pointed
  /// to or not: a process may have been killed before it said so, and one that was saved elsewhere
  /// may have been put here.
  Found look_for(const std::string& which, Look look = Look::whole) const {
    return find(which, "", look);
  }
  std::optional<std::filesystem::path> checkpoint(const std::string& which) const {
    return look_for(which).folder;
  }

  /// A model file, the hash of what it holds, and what was passed over for it.
  struct FoundModel {
    std::filesystem::path file;
    std::string hash;
    std::vector<std::string> unusable;  ///< as those of Found
  };

  /// The model file that `which` points to, found in the same way; the other files of the
  /// checkpoint do not matter. Throws CheckpointError: there is none yet, it is damaged, or the run
  /// has no identity.
  FoundModel look_for_model(const std::string& which) const;
  std::filesystem::path model_file(const std::string& which) const {
    return look_for_model(which).file;
  }

  /// The hash that the model file which `which` points to had when it was written, be it still
  /// sound, or there, or not; "" where that is not known.
  std::string recorded_model_hash(const std::string& which) const;

  /// The checkpoint that `which` points to, sound or not.
  std::optional<std::filesystem::path> pointed(const std::string& which) const;

  /// Newest step that it has written of itself; reads no more than the end of metrics.jsonl.
  int64_t progress() const;

  /// The last that it has written of itself is that it diverged. Going on from its last checkpoint
  /// would end in the same.
  bool diverged() const;

  /// Its last checkpoint says that all planned steps are done, or those after which it was to stop
  /// early, and was validated. `last` is what looking for that has found.
  bool finished() const { return finished(look_for("last")); }
  bool finished(const Found& last) const;

  /// All of these in one word. Throws as they do: DataError, CheckpointError.
  RunState state() const { return state(look_for("last")); }
  RunState state(const Found& last) const;

  /// How many of its steps were skipped up to its last checkpoint, because their loss or gradient
  /// was not finite. Throws CheckpointError if what that says is malformed.
  int64_t skipped() const;

  /// What it was trained on, if that is kept. Throws DataError if it cannot be understood.
  std::optional<TrainingRecord> record() const;

  /// How it began, if that is kept. Throws DataError if it cannot be understood.
  std::optional<StartRecord> start() const;

  /// What of the environment in which it is trained may change last digits: names ("threads") and
  /// values ("2"); empty where that is not known.
  std::map<std::string, std::string> environment() const;

 private:
  Found find(const std::string& which, const std::string& only, Look look = Look::whole) const;

  std::filesystem::path folder_;
};

/// What to warn of where something was passed over, one text for each.
std::vector<std::string> fallback_warnings(const std::vector<std::string>& unusable);

}  // namespace limbeck
