#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_dir.h"

namespace limbeck {

/// Saves what a training has come to in a folder that may fail (full, read-only, gone) and mend
/// while it goes on: what could not be written is told, kept, and tried again when the next
/// checkpoint is saved. A checkpoint that another has replaced by then is dropped, unless it is the
/// best so far.
class Saver {
 public:
  /// After `most_failures` failed saves in a row training ends. `run` must outlive it.
  Saver(RunDir& run, const KeepOptions& keep, int64_t most_failures);

  /// Training goes on from the run's own checkpoint of `step`. What a killed process had still to
  /// do there is done, unless newer checkpoints were passed over as damaged: these stay for now.
  void resume_at(int64_t step, int64_t best_step, bool is_newest);

  /// Throws DataError after too many failures; what was to be saved lies elsewhere then.
  void save(int64_t step, CheckpointFiles files);
  /// What validation found of the checkpoint that was saved last.
  void add_validation(int64_t step, const std::string& json, bool is_best);

  /// The newest step that `save` was called for, or that was gone on from; −1: none was.
  int64_t step() const { return newest_.step; }
  /// All of that is in the folder, as far as is known.
  bool is_saved() const { return newest_.is_written() && (!owed_ || owed_->is_written()); }

  /// For the end of training: tries once more where something is missing. Throws DataError unless
  /// all is in place; what was to be saved lies elsewhere then.
  void finish();
  /// For an end by another error, which is thrown on: does the same, and tells what it comes to.
  void rescue(Logger& logger);

 private:
  /// What is still to be written of a checkpoint.
  struct Checkpoint {
    int64_t step = -1;
    CheckpointFiles files;
    std::string validation;
    bool is_best = false;
    bool is_written() const { return files.empty() && validation.empty(); }
  };

  bool try_to_write();
  void write(Checkpoint& checkpoint);
  std::string put_elsewhere();
  std::filesystem::path put_below(const std::filesystem::path& base);

  RunDir& run_;
  CheckpointStore store_;
  int64_t most_failures_;
  int64_t failures_ = 0;  ///< in a row
  std::string error_;     ///< of the last of them
  Checkpoint newest_;
  std::optional<Checkpoint> owed_;  ///< an older one
};

}  // namespace limbeck
