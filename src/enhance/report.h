#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/enhance/plan.h"

namespace limbeck {

/// What became of a planned file.
struct FileResult {
  int64_t clipped = 0;  ///< samples
  std::string reason;   ///< why it could not be denoised; empty: it is written
};

/// What was done, and how long it took.
struct EnhanceReport {
  const EnhancePlan& plan;
  std::vector<FileResult> results;  ///< of the plan's files
  double wall_seconds = 0;

  /// Of what could not be denoised, be it known before or since.
  std::vector<FailedInput> failures() const;
};

/// "3 min 05 s in 4 s, 46 x real time", then what was clipped.
std::string pace_text(double seconds, double wall_seconds, int64_t clipped);

/// "12 recordings, 1 h 02 min in 1 min 05 s, 57 x real time, 1 failed"
std::string summary(const EnhanceReport& report);

/// One JSON object: files, existing, totals. Names that are no UTF-8 have U+FFFD in them.
std::string json_of(const EnhanceReport& report);

}  // namespace limbeck
