#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/run/run_summary.h"

namespace limbeck {

struct CheckpointDetails {
  std::string name;
  bool is_best = false, is_last = false;
  uint64_t bytes = 0;
  std::optional<double> value;  ///< of the metric that chooses the best, once it is validated
  std::string wrong;            ///< empty if all its files are what its manifest says
};

/// A run on a page.
struct RunDetails {
  RunSummary summary;
  std::string hash;                                           ///< of the identity
  std::vector<std::pair<std::string, std::string>> identity;  ///< sections, each on one line
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<CheckpointDetails> checkpoints;                        ///< oldest first
  std::map<std::string, std::map<std::string, double>> last_values;  ///< by split and key
  std::string diverged;  ///< why, if that is the last that it wrote
  std::string next;      ///< what to do with it now: a sentence, or the command that goes on
};

/// Reads all of the run, weights included. What is wrong is told in summary.problems and with each
/// checkpoint. Throws CheckpointError where there is no run.
RunDetails inspect_run(const std::filesystem::path& run);

/// What differs, as "libtorch: 2.6.0 → 2.15.0".
struct RunDifferences {
  std::vector<std::string> identity;     ///< what makes their results differ
  std::vector<std::string> environment;  ///< where and on what they were trained
};

/// Throws CheckpointError and DataError where one cannot be read; a run without environment.json
/// has an empty one.
RunDifferences compare_runs(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace limbeck
