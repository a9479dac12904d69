#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"

namespace limbeck {

/// Section `train.keep:`: the checkpoints that stay.
struct KeepOptions {
  int64_t last = 1;
  int64_t best = 1;
  int64_t every = 0;
  void describe(config::Visitor& v);
};

/// The files of a checkpoint by name.
using CheckpointFiles = std::map<std::string, std::string>;

/// Writes the checkpoints of a run: folders `checkpoints/step-00001000`, and `best.json` and
/// `last.json` that point to one each. A checkpoint is written to a temporary sibling, flushed, and
/// renamed; its manifest (sizes and hashes of all files) comes last, and a folder without a valid
/// one counts as not there. It is saved before it is validated; what validation finds is put beside
/// the manifest later (validation.json: an object, whose `value` says how good the checkpoint is).
/// RunView finds them again. Whatever kills the process, a pointer names what is there.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path run, const KeepOptions& keep = {});

  /// Whatever lies under that step's name makes way. Points `last` to it, and `best` if asked;
  /// removes what is not to be kept, once both pointers are readable. Throws DataError.
  void save(int64_t step, const CheckpointFiles& files, bool is_best = false);
  /// Puts what validation found into a checkpoint that was saved, pointing `best` to it first, if
  /// asked. Throws DataError.
  void add_validation(int64_t step, const std::string& json, bool is_best);
  /// Does what a process that was killed while it saved had still to do, for a run that goes on
  /// from `last_step`: points `last` and `best` to these checkpoints, where they are there, and
  /// removes what is not to be kept. Throws DataError.
  void settle(int64_t last_step, int64_t best_step);

 private:
  void point(const std::string& which, int64_t step);
  void repoint(const std::string& which, int64_t step);
  void remove_others() const;
  void remove_unfinished();

  std::filesystem::path run_;
  KeepOptions keep_;
  std::vector<std::filesystem::path> unfinished_;  ///< temporary folders of saves that failed
};

/// What `add_validation` put into a checkpoint; nothing if it has not been validated.
std::optional<std::string> validation_of(const std::filesystem::path& checkpoint);

/// How closely files are looked at: at all that they hold, or at no more than their sizes.
enum class Look { whole, sizes };

/// Empty if the folder's files are what its manifest says, else what is wrong. With `only`, one
/// file is looked at. Throws DataError where one is there and cannot be read: nothing is known of
/// it then.
std::string check_checkpoint(const std::filesystem::path& checkpoint, const std::string& only = "",
                             Look look = Look::whole);

/// The hash that a file of the folder has by its manifest, be it so or not; "" where that does not
/// say. Throws DataError as above.
std::string recorded_hash(const std::filesystem::path& checkpoint, const std::string& file);

}  // namespace limbeck
