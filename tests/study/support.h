#pragma once

#include <string>

#include "study/report.h"

namespace limbeck::test {

/// One run on one set of one utterance, with a noisy side of 3.8. `results` has one metric.
inline void add_scores(StudyResults& results, const ScoredRun& scored, const std::string& set,
                       double value) {
  results.runs.push_back(scored);
  RunResults run{scored.name(), {{"x", 1, {}, {}, {value}, {3.8}}}};
  ResultTable& table = results.tables[set];
  table.metrics = results.metrics;
  table.runs.push_back(run);
}

}  // namespace limbeck::test
