#pragma once

#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"

namespace limbeck {

/// Two systems on the same utterances, by one metric.
struct MetricDifference {
  Metric metric;
  PairedDifference paired;  ///< over the utterances that both have a score of
};

struct UtteranceDifference {
  std::string id;
  double a = 0, b = 0;
};

struct Comparison {
  std::vector<MetricDifference> differences;  ///< of every metric that both have
  std::vector<std::string> only_in_a, only_in_b;
  std::vector<std::string> left_out;          ///< what of the rest one of them has no score of
  std::vector<std::string> notes_a, notes_b;  ///< what has to be said of each
  /// Other versions of a metric, another environment: what makes them comparable less.
  std::vector<std::string> warnings;
  size_t ranked = 0;                       ///< index in `differences` that orders `worst`
  std::vector<UtteranceDifference> worst;  ///< b against a, worst first
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
