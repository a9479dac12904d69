#pragma once

#include <cstdint>
#include <string>

#include "limbeck/train/config.h"

namespace limbeck {

/// What a configuration matches with what, for people: taps and their shapes, parameters that train
/// beside the student, weights, and each term's share of the gradient over the first `steps`
/// of the run, which are trained (and forgotten). Writes nothing. Throws as
/// run_training does.
std::string explain(const TrainingConfig& config, int64_t steps);

}  // namespace limbeck
