#pragma once

#include <functional>
#include <vector>

#include "limbeck/eval/job.h"

namespace limbeck {

class Journal;

/// What a system makes of noisy utterances of one frame count: gets the items and their samples at
/// one rate, returns an estimate of each, as long as its input. Called by many threads.
using Enhance = std::function<std::vector<std::vector<float>>(
    const std::vector<const EvaluationItem*>& items, const std::vector<std::vector<float>>& noisy,
    int rate_hz)>;

struct ScoreOptions {
  std::vector<Metric> metrics = {};
  FitOptions fit = {};
  int64_t jobs = 0;  ///< utterances at once; 0: one a core
  /// Makes the estimates of items that have no file of it.
  Enhance enhance = {};
  /// Items that go to `enhance` together, as indices; none: each for itself.
  std::vector<std::vector<size_t>> batches = {};
  /// Knows what is scored, and keeps what will be; an utterance that failed, such as for lack of
  /// memory, is tried again.
  Journal* journal = nullptr;
};

/// Rows and failures in the order of the items, from all cores. What goes wrong with one item is
/// listed, the others are scored. The result does not depend on `jobs`. Throws Interrupted between
/// utterances.
RunResults score_items(const std::vector<EvaluationItem>& items, const ScoreOptions& options,
                       Logger& logger);

}  // namespace limbeck
