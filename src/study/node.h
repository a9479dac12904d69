#pragma once

#include <string>

#include "limbeck/study/plan.h"
#include "study/run_states.h"

namespace limbeck {

/// Index of the node with this id. Throws ConfigError where there is none.
size_t require_node(const StudyPlan& plan, const std::string& id);

/// What keeps a node from being run, as the reason of a failure; "" where nothing does. `restart`:
/// what diverged or is damaged is to be trained anew.
std::string obstacle(const StudyPlan& plan, size_t node, const NodeStanding& standing,
                     bool restart);

}  // namespace limbeck
