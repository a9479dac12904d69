#pragma once

#include <string>
#include <vector>

#include "limbeck/eval/evaluator.h"

namespace limbeck {

/// Two systems on the same utterances, by one metric.
struct PairedDifference {
  Metric metric;
  size_t n = 0;  ///< utterances that both have a score of
  double mean_a = 0, mean_b = 0;
  double mean = 0;      ///< of b − a
  double interval = 0;  ///< half the width of the 95 % interval of `mean`; NaN for n < 2
  size_t wins = 0;      ///< utterances in which b is better
  size_t losses = 0;
};

struct UtteranceDifference {
  std::string id;
  double a = 0, b = 0;
};

struct Comparison {
  std::vector<PairedDifference> differences;  ///< of every metric that both have
  std::vector<std::string> only_in_a, only_in_b;
  std::vector<std::string> notes_a, notes_b;  ///< what has to be said of each
  size_t ranked = 0;                          ///< index in `differences` that orders `worst`
  std::vector<UtteranceDifference> worst;     ///< b against a, worst first
};

/// Compares two results of `limbeck-evaluate`, given as their folders, paired by utterance.
/// `rank_by` names the metric for `worst`; empty: the first. Student's t interval over the
/// utterances, which takes them as independent.
///
/// Throws DataError: no per_utterance.csv, no common utterance or metric, the same id with another
/// length or other noisy scores (then the sets are not the same); ConfigError: `rank_by` is not
/// among the common metrics.
Comparison compare_results(const std::string& folder_a, const std::string& folder_b,
                           const std::string& rank_by, size_t worst);

/// Markdown tables of it.
std::string comparison_text(const Comparison& comparison, const std::string& name_a,
                            const std::string& name_b);
/// One JSON object.
std::string comparison_json(const Comparison& comparison);

}  // namespace limbeck
