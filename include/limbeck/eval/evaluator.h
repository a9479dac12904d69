#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/manifest.h"
#include "limbeck/metric/metric.h"

namespace limbeck {

/// What is known of the recording of an utterance; empty where it is not.
struct Condition {
  std::string speaker;
  std::string snr_db;  ///< of the noisy side, as the manifest writes it
  std::string noise;
};

/// One utterance to score. Empty paths: no noisy side; an estimate that a model is to make.
struct EvaluationItem {
  std::string id;
  Condition condition;
  AudioFile clean, noisy, estimate;
  int64_t samples = 0;  ///< of the clean side, 0 where only the file knows
};

/// Scores of one utterance, in the order of Evaluation::metrics; NaN where a score is not defined.
struct UtteranceScores {
  std::string id;
  double seconds = 0;
  Condition condition;
  std::optional<int64_t> lag_samples;  ///< of the estimate, where it was aligned
  std::vector<double> scores;
  std::vector<double> noisy_scores;  ///< empty where no noisy side is known
};

struct UtteranceFailure {
  std::string id;
  std::string metric;  ///< the one that is not defined; empty: nothing of the utterance is scored
  std::string reason;
};

/// What one system reached on one set. Scores that are not defined take part in no mean.
struct Evaluation {
  std::vector<Metric> metrics;
  std::vector<UtteranceScores> rows;
  std::vector<UtteranceFailure> failures;
  std::vector<std::string> notes = {};  ///< what has to be said wherever the scores are shown

  bool has_noisy() const { return !rows.empty() && !rows.front().noisy_scores.empty(); }
  /// Index in `metrics`; throws std::out_of_range.
  size_t index_of(const std::string& metric) const;
  /// The scores of all rows that have one.
  std::vector<double> scores(size_t metric, bool noisy = false) const;
};

/// How files are treated that do not fit their clean side.
struct FitOptions {
  int64_t resample_hz = 0;  ///< bring all files to this rate; 0: other rates are failures
  bool align = false;       ///< shift by the lag of the largest cross-correlation, then cut
};

/// What a system makes of noisy utterances of one frame count: gets the items and their samples at
/// one rate, returns an estimate of each, as long as its input. Called by many threads.
using Enhance = std::function<std::vector<std::vector<float>>(
    const std::vector<const EvaluationItem*>& items, const std::vector<std::vector<float>>& noisy,
    int rate_hz)>;

struct EvaluateOptions {
  std::vector<Metric> metrics = {};
  FitOptions fit = {};
  int64_t jobs = 0;  ///< utterances at once; 0: one a core
  /// Makes the estimates of items that have no file of it.
  Enhance enhance = {};
  /// Items that go to `enhance` together, as indices; none: each for itself.
  std::vector<std::vector<size_t>> batches = {};
  std::string resume_in = {};  ///< folder that keeps what is scored until all is; empty: nowhere
  std::string about = {};      ///< what is scored, a JSON object: other work is not gone on with
};

/// Scores every item on all cores. What goes wrong with one is listed, the others are scored. The
/// result does not depend on `jobs`. Throws Interrupted between utterances; the same call then goes
/// on from there.
Evaluation evaluate(const std::vector<EvaluationItem>& items, const EvaluateOptions& options,
                    Logger& logger);

/// Pairs of a manifest, with what its columns `snr_db` and `noise` say. Throws DataError for a
/// manifest of recordings.
std::vector<EvaluationItem> items_of(const Manifest& manifest);

}  // namespace limbeck
