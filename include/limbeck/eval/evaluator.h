#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/manifest.h"
#include "limbeck/metric/metric.h"

namespace limbeck {

/// Scores of one utterance, in the order of Evaluation::metrics.
struct UtteranceScores {
  std::string id;
  double seconds = 0;
  std::string speaker;
  std::vector<double> scores;
  std::vector<double> noisy_scores;  ///< empty where no noisy side is known
};

struct UtteranceFailure {
  std::string id;
  std::string reason;
};

/// What one system reached on one set. Failed utterances take part in no mean.
struct Evaluation {
  std::vector<Metric> metrics;
  std::vector<UtteranceScores> rows;
  std::vector<UtteranceFailure> failures;

  bool has_noisy() const { return !rows.empty() && !rows.front().noisy_scores.empty(); }
  std::vector<double> scores(size_t metric, bool noisy = false) const;
};

/// Files of one utterance that are to be scored. `noisy` may be empty.
struct ScoredFiles {
  std::string id;
  std::string speaker;
  std::filesystem::path clean, noisy;
};

/// What a system makes of an utterance: gets (id, noisy samples, rate), returns as many samples.
using Enhance = std::function<std::vector<float>(const ScoredFiles&,
                                                 const std::vector<float>& noisy, int rate_hz)>;

/// Runs `enhance` on every utterance and scores it. What goes wrong with one utterance is listed,
/// the others are scored. Throws Interrupted between utterances.
Evaluation evaluate(const std::vector<ScoredFiles>& files, const std::vector<Metric>& metrics,
                    const Enhance& enhance, Logger& logger);

/// Clean and noisy files of a manifest of pairs. Throws DataError for a manifest of recordings.
std::vector<ScoredFiles> files_of(const Manifest& manifest);

/// Writes per_utterance.csv, summary.json and failures.csv into `folder`. `about` is what
/// summary.json says of the system, a JSON object.
void write_evaluation(const std::filesystem::path& folder, const Evaluation& evaluation,
                      const std::string& about);

/// Reads back what write_evaluation wrote, if it is whole and its `about` is the same; else returns
/// false.
bool read_evaluation(const std::filesystem::path& folder, const std::string& about,
                     const std::vector<Metric>& metrics, Evaluation& evaluation);

}  // namespace limbeck
