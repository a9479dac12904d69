#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace limbeck {

/// The checkpoints of a run: folders `checkpoints/step-00001000`, and `best.json` and `last.json`
/// that point to one each. A checkpoint is written to a temporary sibling, flushed, and renamed;
/// its manifest (sizes and hashes of all files) comes last, and a folder without a valid one counts
/// as not there.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path run);

  /// `files` maps file names to contents. Points `last` to it, and `best` if asked; removes the
  /// checkpoints that neither points to. Throws DataError.
  void save(int64_t step, const std::map<std::string, std::string>& files, bool is_best);

  /// The folder that `which` ("best" or "last") points to, if it is valid; for "last" else the
  /// newest valid one.
  std::optional<std::filesystem::path> find(const std::string& which) const;

  /// Empty if the folder's files are what its manifest says, else what is wrong. With `only`, one
  /// file is looked at.
  static std::string check(const std::filesystem::path& checkpoint, const std::string& only = "");

 private:
  std::optional<std::string> pointed(const std::string& which) const;
  void point(const std::string& which, const std::string& name, int64_t step);

  std::filesystem::path run_;
};

}  // namespace limbeck
