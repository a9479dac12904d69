#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "limbeck/metric/metric.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/study/study.h"

namespace limbeck {

/// Means over the utterances of one set, in the order of StudyResults::metrics.
struct RunScores {
  StudyRun run;
  std::string set;
  std::vector<double> means;
  std::vector<double> noisy_means;
};

struct StudyResults {
  std::vector<Metric> metrics;
  std::vector<RunScores> scores;
  std::map<std::string, nn::ModelCost> costs;  ///< by run folder
  /// What has to be said of the results on a set: that it is partial, that it leaks.
  std::map<std::string, std::vector<std::string>> notes;
};

struct StudyFailure {
  std::string label;
  std::string reason;
};

/// Writes results.csv, table.md and failures.csv into `dir`; returns the tables as printed.
std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& results, const std::vector<StudyFailure>& failures);

}  // namespace limbeck
