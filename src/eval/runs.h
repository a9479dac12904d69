#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/eval/evaluator.h"

namespace limbeck {

/// Runs with names of their own: the paths below the deepest folder that holds them all.
std::vector<std::pair<std::string, std::filesystem::path>> named_runs(
    const std::vector<std::filesystem::path>& runs);

/// Scores of repeated runs of one system: a row each (means over utterances), then mean ± sample
/// standard deviation over the runs.
class RunTable {
 public:
  explicit RunTable(std::vector<Metric> metrics) : metrics_(std::move(metrics)) {}
  /// Throws DataError if a metric has no value in this run.
  void add(const std::string& name, const Evaluation& evaluation);
  std::string markdown() const;
  /// `metrics`: mean, std, n and the values of each; `notes`.
  nlohmann::json summary() const;

 private:
  std::vector<std::string> notes() const;

  std::vector<Metric> metrics_;
  std::vector<std::vector<double>> means_;  ///< [run][metric]
  std::vector<std::vector<std::string>> rows_;
  /// What has to be said, and of which runs.
  std::vector<std::pair<std::string, std::vector<std::string>>> notes_;
};

}  // namespace limbeck
