#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/log.h"

namespace limbeck {

struct MetricsBenchOptions {
  std::filesystem::path manifest;              ///< of pairs; the noisy side is scored
  std::vector<std::string> metrics = {"all"};  ///< of the second row
  int64_t jobs = 0;                            ///< 0: one a core
  int repetitions = 3;
  std::string python;  ///< interpreter with pesq and pystoi; empty: no comparison
  std::filesystem::path script = "tests/benchmarks/metrics_reference.py";
  bool json = false;
};

/// Scores a manifest several times and prints how fast that went: PESQ (WB, NB), STOI and ESTOI in
/// one row, `metrics` in another, and with `python` the reference packages on the same pairs in
/// between, with the largest difference of the scores. Reading the files is part of the time; an
/// untimed pass comes first. "Per core" is by the seconds that all cores together were busy.
/// Returns some_failed if a pair has no score in one of the metrics.
ExitCode bench_metrics(const MetricsBenchOptions& options, Logger& logger);

}  // namespace limbeck
