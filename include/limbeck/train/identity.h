#pragma once

#include <map>
#include <string>

#include "limbeck/run/identity.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// What determines the results of a training: the options that affect them, what the data options
/// name (`content_of`), the teacher by the hash of its model file (`find_teacher`), which says
/// nothing where no teacher takes part, and in the same way what it begins with (`find_init`).
Identity training_identity(const TrainingConfig& config,
                           const std::map<std::string, std::string>& data_content,
                           const std::string& teacher_hash, const std::string& init_hash = "");

/// Under which key of the identity the teacher stands.
inline constexpr const char* kTeacherKey = "teacher.model";

}  // namespace limbeck
