#pragma once

#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/eval/evaluator.h"

namespace limbeck {

/// Everything that `limbeck-evaluate` reads. One of `model`, `runs`, `estimate` says what is
/// scored.
struct EvaluateConfig {
  std::string model;
  std::string runs;
  std::string which = "best";
  std::string manifest;
  std::string clean;
  std::string estimate;
  std::string noisy;
  std::string out;
  std::vector<std::string> metrics = {"si_sdr"};
  std::string device = "auto";
  int64_t threads = 0;

  void describe(config::Visitor& v);
};

/// Scores, writes the results below `out` and prints a table. Returns some_failed if an utterance
/// failed. With `check_only` it reads what it would work on and stops.
ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger);

/// Enhances the manifest's noisy side with the model of a run or file, or takes what an earlier
/// call with the same model and data left in `folder`, and writes the results there.
Evaluation evaluate_model(const std::string& model, const std::string& which,
                          const std::string& manifest, const std::vector<Metric>& metrics,
                          const std::filesystem::path& folder, const std::string& device,
                          Logger& logger);

}  // namespace limbeck
