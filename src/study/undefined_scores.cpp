#include "study/undefined_scores.h"

#include <algorithm>

namespace limbeck {

std::vector<std::string> undefined_scores(const ResultTable& table, const RunResults& run) {
  std::vector<std::string> texts;
  for (const auto& [id, column, reason] : run.failures) {
    const auto is_of = [&column](const Metric& metric) {
      return column == metric.name || column == metric.name + "_noisy";
    };
    const bool is_ours =
        column.empty() || std::any_of(table.metrics.begin(), table.metrics.end(), is_of);
    if (is_ours) texts.push_back(id + (column.empty() ? "" : " " + column) + ": " + reason);
  }
  return texts;
}

}  // namespace limbeck
