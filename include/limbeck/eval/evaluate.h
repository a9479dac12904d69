#pragma once

#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/metric/metric.h"
#include "limbeck/nn/kernel_use.h"

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
  std::string strip_prefix;
  std::string strip_suffix;
  std::string out;
  std::vector<MetricConfig> metrics = {"pesq_wb", "csig", "cbak", "covl", "stoi", "si_sdr"};
  bool align = false;
  int64_t resample_hz = 0;
  std::string channel;
  bool save_audio = false;
  std::string device = "auto";
  nn::Kernels kernels = nn::Kernels::fused;
  int64_t jobs = 0;
  int64_t batch_size = 8;

  void describe(config::Visitor& v);
};

/// Makes a job of each model, run or folder that is named, and looks at all of them before any is
/// scored; writes the results below `out` and prints a table. Returns some_failed if a score is
/// missing. With `check_only` it reads what it would work on and stops. Throws ConfigError if a
/// folder of results holds those of something else.
ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger);

}  // namespace limbeck
