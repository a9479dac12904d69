#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

/// Of some numbers, in order of size: the smallest, those below which 5, 50 and 95 % lie (linear
/// interpolation), the largest. NaN for no numbers.
struct Spread {
  double min = 0, p5 = 0, median = 0, p95 = 0, max = 0;
};

Spread spread(std::vector<double> values);

/// One side of some recordings. Levels leave silent files out.
struct SideStats {
  std::string side;  ///< "recording", "clean" or "noisy"
  Spread active_dbfs;
  Spread rms_dbfs;
  Spread peak_dbfs;  ///< over files
  int64_t full_scale_samples = 0;
  int64_t full_scale_files = 0;  ///< files with a sample at full scale: perhaps clipped
  int64_t silent_files = 0;
  int64_t offset_files = 0;  ///< with a large mean, which levels and SNR leave out
};

struct SplitStats {
  Split split = Split::train;
  int64_t files = 0;  ///< recordings, or pairs
  int64_t speakers = 0;
  double seconds = 0;
  Spread seconds_of_file;
  std::vector<SideStats> sides;
  /// Of pairs: SNR of each in dB, the power of clean against that of noisy − clean, each without
  /// its mean; sorted.
  std::vector<double> snrs_db;
  int64_t without_snr = 0;  ///< pairs that are silent, or alike on both sides
};

struct ManifestStats {
  std::vector<SplitStats> splits;  ///< those that have an entry
  std::vector<Problem> problems;   ///< files that could not be read, and are counted nowhere
  std::vector<Problem> oddities;   ///< silent files and those with a large mean
};

/// Decodes every file. Throws Interrupted.
ManifestStats measure(const Manifest& manifest, int64_t threads, Logger& logger);

/// Counts in bins [k · width, (k + 1) · width), by k; the bins between the first and the last that
/// hold something are all there. The values are finite, `width` > 0.
std::map<int64_t, int64_t> histogram(const std::vector<double>& values, double width);

}  // namespace limbeck
