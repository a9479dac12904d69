#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_summary.h"

namespace limbeck {

/// Calls `look`; what it throws of the run becomes a problem of it, once, without the run's path.
template <class LookAt>
void try_to(RunSummary& summary, const LookAt& look) {
  std::string problem;
  try {
    return look();
  } catch (const Error& e) {
    problem = without_path(e.what(), summary.path.string());
  } catch (const nlohmann::json::exception& e) {
    problem = std::string("malformed: ") + e.what();
  }
  auto& known = summary.problems;
  if (std::find(known.begin(), known.end(), problem) == known.end()) known.push_back(problem);
}

}  // namespace limbeck
