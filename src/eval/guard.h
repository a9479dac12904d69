#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/selection.h"

namespace limbeck {

/// Holds a set against what a model was trained on, as its run tells, or says that nothing is known
/// of it. Returns what has to be said of the model's results on the set. Throws DataError that
/// lists the leaks, unless they are allowed.
std::vector<std::string> guard_model(const std::filesystem::path& model_file, const TestSet& set,
                                     bool allow_leak, Logger& logger);

}  // namespace limbeck
