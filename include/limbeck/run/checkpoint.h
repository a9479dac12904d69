#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace limbeck {

/// Writes the checkpoints of a run: folders `checkpoints/step-00001000`, and `best.json` and
/// `last.json` that point to one each. A checkpoint is written to a temporary sibling, flushed, and
/// renamed; its manifest (sizes and hashes of all files) comes last, and a folder without a valid
/// one counts as not there. RunView finds them again.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path run);

  /// `files` maps file names to contents. Points `last` to it, and `best` if asked; removes the
  /// checkpoints that neither points to. Throws DataError.
  void save(int64_t step, const std::map<std::string, std::string>& files, bool is_best);

 private:
  void point(const std::string& which, const std::string& name, int64_t step);

  std::filesystem::path run_;
};

/// Empty if the folder's files are what its manifest says, else what is wrong. With `only`, one
/// file is looked at.
std::string check_checkpoint(const std::filesystem::path& checkpoint, const std::string& only = "");

}  // namespace limbeck
