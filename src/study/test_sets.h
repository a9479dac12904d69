#pragma once

#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/selection.h"
#include "limbeck/study/plan.h"

namespace limbeck {

/// The sets of a study, in its order. Throws DataError as read_test_set does.
std::vector<TestSet> read_sets(const StudyConfig& config);

/// Holds the data of every run, and every set against it, before anything is trained. Adds what
/// was allowed, and what is partial, to the notes of the sets. Throws DataError that lists the
/// leaks.
void check_sets(const StudyConfig& config, const StudyPlan& plan, std::vector<TestSet>& sets,
                Logger& logger);

/// The same for the recordings of every run and set: those that are missing are named.
void check_files(const StudyConfig& config, const StudyPlan& plan, const std::vector<TestSet>& sets,
                 Logger& logger);

}  // namespace limbeck
