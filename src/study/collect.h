#pragma once

#include "limbeck/core/log.h"
#include "limbeck/study/plan.h"
#include "limbeck/study/results.h"
#include "study/run_states.h"
#include "study/state_file.h"

namespace limbeck {

/// All that the nodes of a study have left: scores, searches, what keeps arms from being compared;
/// and what is missing, with the reason that `states` has for it. Scores nothing. `sets` are those
/// of the study, with what has to be said of each.
StudyResults collect_results(const StudyConfig& config, const StudyPlan& plan,
                             const std::vector<TestSet>& sets, const StudyStates& recorded,
                             RunStates& states);

}  // namespace limbeck
