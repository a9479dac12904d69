#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "limbeck/study/plan.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// In place of a sweep point: of a search, which knows no sweep.
inline constexpr size_t kUnswept = std::numeric_limits<size_t>::max();

/// Adds the nodes to a plan that has its points. What their configurations are is nobody's business
/// here, but for the teachers' own seeds. `cached`: scenarios and sweep points, or kUnswept, whose
/// teacher has a cache.
void lay_out(const StudyConfig& config, const std::map<std::string, TrainingConfig>& teachers,
             const std::set<std::pair<size_t, size_t>>& cached, StudyPlan& plan);

}  // namespace limbeck
