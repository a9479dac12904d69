#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "limbeck/run/run_view.h"

namespace limbeck {

/// A run in one row. What could not be read is 0 or empty, and stands in `problems`.
struct RunSummary {
  struct Best {
    std::string metric;  ///< a key in metrics.jsonl
    double value = 0;
    int64_t step = 0;
  };

  std::filesystem::path path;
  std::string name;  ///< the path below the folder that was listed
  RunState state = RunState::empty;
  std::string kind;  ///< "pretrain" or "distill"
  int64_t step = 0;
  int64_t planned = 0;
  std::optional<Best> best;
  int64_t skipped = 0;  ///< steps without an update, as loss or gradient was not finite
  double seconds = 0;   ///< in training, all sittings together
  std::chrono::system_clock::time_point changed;
  uint64_t bytes = 0;
  std::vector<std::string> problems;  ///< what is damaged or cannot be read; its run is listed
};

/// All runs at and below a folder, through symbolic links, too; sorted by path, as people count
/// (s2 before s10). Nothing below a run is looked at. What cannot be opened on the way is told in
/// `problems`. Throws DataError if there is no such folder.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& root,
                                             std::vector<std::string>& problems);

/// Writes nothing and reads little: the ends of files, the sizes of a checkpoint's, but not its
/// weights. Never throws for what is wrong with the run.
RunSummary summarize_run(const std::filesystem::path& path, const std::string& name = "");

/// Puts the runs in the order of "name", "state", "step", "best", "time", "changed" or "size":
/// texts upwards, numbers downwards, but the best upwards where its metric, whatever the set, is
/// one of `lower_is_better`; runs that are alike stay as they are. Throws ConfigError.
void sort_runs(std::vector<RunSummary>& runs, const std::string& key,
               const std::set<std::string>& lower_is_better);

/// "12.3 MiB".
std::string size_text(uint64_t bytes);

/// Of the files at and below a path; of those that can be looked at.
uint64_t size_on_disk(const std::filesystem::path& path);

/// "2026-11-26 12:05", where the reader is.
std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace limbeck
