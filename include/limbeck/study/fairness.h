#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/run/start_record.h"
#include "limbeck/study/results.h"

namespace limbeck {

/// How a student's training began.
struct ArmStart {
  std::string label;  ///< "causal student, cosine, seed 2"
  StudyArm arm;
  int64_t seed = 0;
  StartRecord start;
};

/// What a fair comparison forbids: trainings of one scenario, sweep point and seed, whatever their
/// methods and teachers, that did not begin with the same weights, batches and budget. A text for
/// each such group, which names those that began alike together:
///
///     began with other initial weights: A, none, seed 2 = A, fitnet, seed 2 ≠ A, cosine, seed 2
std::vector<std::string> unfair_arms(const std::vector<ArmStart>& arms);

}  // namespace limbeck
