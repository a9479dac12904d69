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
  std::string protocol;
  bool allow_leak = false;
  std::string clean;
  std::string estimate;
  std::string noisy;
  std::string out;
  std::vector<MetricConfig> metrics = {"pesq_wb", "csig", "cbak", "covl", "stoi", "si_sdr"};
  bool align = false;
  int64_t resample_hz = 0;
  bool save_audio = false;
  std::string device = "auto";
  int64_t jobs = 0;
  int64_t batch_size = 8;

  void describe(config::Visitor& v);
};

/// Scores, writes the results below `out` and prints a table. Returns some_failed if a score is
/// missing. With `check_only` it reads what it would work on and stops.
ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger);

/// A model on a manifest of pairs, or on the test pairs of a protocol.
struct ModelEvaluation {
  std::string model = {};  ///< run folder, checkpoint folder or model file
  std::string which = "best";
  std::string manifest = {};
  std::string protocol = {};
  bool allow_leak = false;  ///< score a set that the model has seen in training, and say so
  std::vector<Metric> metrics = {};
  FitOptions fit = {};
  std::string folder = {};  ///< where the results go
  bool save_audio = false;
  std::string device = "auto";
  int64_t jobs = 0;
  int64_t batch_size = 8;  ///< utterances a forward pass on a GPU
};

/// Enhances and scores, or takes what an earlier call with the same model and data left in the
/// folder. Throws DataError if the run of the model saw files or speakers of the set in training.
/// Interrupted, the same call goes on. On the CPU each core enhances one utterance at a time, which
/// is faster than all cores on one and gives the same bits for any `jobs`; on a GPU only utterances
/// of one frame count share a batch, so that none is padded by more than its last frame.
Evaluation evaluate_model(const ModelEvaluation& options, Logger& logger);

}  // namespace limbeck
