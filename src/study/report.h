#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/study/study.h"

namespace limbeck {

/// A run that was scored, and what its network costs.
struct ScoredRun {
  StudyRun run;
  nn::ModelCost cost;

  /// Its name in the tables of StudyResults.
  std::string name() const { return run.dir.string(); }
};

struct StudyResults {
  std::vector<Metric> metrics;
  std::vector<ScoredRun> runs;
  std::map<std::string, ResultTable> tables;  ///< by set; a run may be missing in some
  /// What has to be said of the results on a set: that it is partial, that it leaks.
  std::map<std::string, std::vector<std::string>> notes;
};

struct StudyFailure {
  std::string label;
  std::string reason;
};

/// Writes results.csv, table.md and failures.csv into `dir`; returns the tables as printed. All
/// runs have means over the same utterances of a set (ResultTable::paired).
std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& scored, const std::vector<StudyFailure>& failures);

}  // namespace limbeck
