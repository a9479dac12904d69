#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "limbeck/core/plot.h"

namespace limbeck {

/// One metric along a run, as metrics.jsonl has it.
struct RunCurve {
  std::vector<double> x;  ///< finite
  std::vector<double> y;  ///< NaN where the run wrote that there is no number
};

/// What a metrics.jsonl holds of some metrics, in one split.
struct RunCurves {
  std::map<std::string, RunCurve> curves;  ///< by metric; without those that it never names
  std::vector<std::string> known;          ///< every key with numbers, in this split
  bool diverged = false;                   ///< the file ends with that
};

/// `x` and `metrics` are keys of a line, dotted where they lie in an inner object ("timing.wait").
/// Throws DataError if it cannot be read; a run without metrics.jsonl has no curves.
RunCurves read_curves(const std::filesystem::path& run, const std::string& split,
                      const std::string& x, const std::vector<std::string>& metrics);

/// The mean of up to `count` neighbours around each value; of the finite ones, and a gap stays one.
std::vector<double> running_mean(const std::vector<double>& values, int64_t count);

struct RunPlotOptions {
  std::vector<std::string> metrics = {"si_sdr", "loss"};
  std::vector<std::string> splits = {"valid"};  ///< of several, the first stands out
  std::string x = "step";                       ///< or "epoch", "seconds"
  int64_t smooth = 1;                           ///< points in a running mean
  std::vector<std::string> logarithmic;         ///< metrics on such an axis
  std::map<std::string, std::string> titles;    ///< of metrics, with unit; of others their keys
};

/// The metrics of the runs, one panel a metric, one colour a run; a metric that only some of them
/// have is plotted for these. Throws DataError if a run cannot be read, or none has any of them.
Plot plot_runs(const std::vector<std::filesystem::path>& runs, const RunPlotOptions& options);

}  // namespace limbeck
