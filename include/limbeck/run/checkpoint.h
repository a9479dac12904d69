#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace limbeck {

/// Writes the checkpoints of a run: folders `checkpoints/step-00001000`, and `best.json` and
/// `last.json` that point to one each. A checkpoint is written to a temporary sibling, flushed, and
/// renamed; its manifest (sizes and hashes of all files) comes last, and a folder without a valid
/// one counts as not there. It is saved before it is validated; what validation finds is put beside
/// the manifest later (validation.json). RunView finds them again.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path run);

  /// `files` maps file names to contents. Points `last` to it, and `best` if asked; removes the
  /// checkpoints that neither points to, once both are readable. Throws DataError.
  void save(int64_t step, const std::map<std::string, std::string>& files, bool is_best = false);
  /// Puts what validation found into a checkpoint that was saved, pointing `best` to it first, if
  /// asked. Throws DataError.
  void add_validation(int64_t step, const std::string& json, bool is_best);
  /// Does what a process that was killed while it saved had still to do: points `best` to the
  /// checkpoint of `best_step`, if that is there, and removes those that neither points to. Throws
  /// DataError.
  void settle(int64_t best_step);

 private:
  void point(const std::string& which, int64_t step);
  void remove_others() const;

  std::filesystem::path run_;
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
