#pragma once

#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/study/study.h"

namespace limbeck {

/// A test set, read.
struct LoadedSet {
  std::string name;
  Manifest pairs;
  std::vector<std::string> notes;  ///< what has to be said wherever results on it are shown
};

/// Throws DataError for a manifest that is wrong, lists recordings, or changed since its protocol
/// was locked.
std::vector<LoadedSet> load_sets(const StudyConfig& config);

/// Holds the data of every run, and every set against it, before anything is trained. Adds what
/// was allowed, and what is partial, to the notes of the sets. Throws DataError that lists the
/// leaks.
void guard_sets(const StudyConfig& config, const StudyPlan& plan, std::vector<LoadedSet>& sets,
                Logger& logger);

}  // namespace limbeck
