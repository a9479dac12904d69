#pragma once

#include <vector>

#include "limbeck/config/diagnostics.h"
#include "limbeck/study/plan.h"

namespace limbeck {

/// The combinations of swept values that are trained, as StudyPlan::sweep. Adds to `diagnostics`
/// what is wrong with keys and values.
std::vector<SettingPoint> sweep_points(const StudyConfig& config, config::Diagnostics& diagnostics);

/// The points of every method, as StudyPlan::search: all combinations of its values, or, where
/// these are more than `search.points`, so many of them, drawn by the method's name. Adds to
/// `diagnostics` what is wrong, unequal numbers of points included.
std::vector<std::vector<SettingPoint>> search_points(const StudyConfig& config,
                                                     config::Diagnostics& diagnostics);

/// Puts the values into a student's configuration, each under its dotted key; but for those of
/// section distill, where its method has no terms and so nothing to set.
void apply(const SettingPoint& point, bool has_terms, config::Node& student,
           config::Diagnostics& diagnostics);

}  // namespace limbeck
