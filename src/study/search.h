#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "limbeck/study/plan.h"
#include "limbeck/study/results.h"

namespace limbeck {

/// The scenario whose search is meant for one, itself or that of `search.scenario`.
size_t search_scenario(const StudyConfig& config, size_t scenario);

/// Where the run of a node lies: its folder, or a link to it.
using RunFolders = std::function<std::filesystem::path(const StudyNode&)>;

/// What the trainings of a method's points have found: the best value of each run's validations, a
/// point's mean over seeds, and the best point; of equal ones the first. A run that diverged counts
/// as worse than any value. `chosen` is nothing where every point has such a run. Throws Error if a
/// training has not ended, or cannot be read.
SearchOutcome search_outcome(const StudyConfig& config, const StudyPlan& plan, size_t scenario,
                             size_t method, const RunFolders& folder_of);

/// The chosen point of a student. Throws DataError where all have diverged, and as above.
size_t chosen_point(const StudyConfig& config, const StudyPlan& plan, const StudyNode& student,
                    const RunFolders& folder_of);

/// Writes the outcomes of all searches that have ended into search/<scenario>/<method>/choice.json
/// below the study's folder, with all points; a file that says the same stays as it is.
void write_choices(const StudyConfig& config, const StudyPlan& plan);

}  // namespace limbeck
