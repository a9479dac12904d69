#pragma once

#include <optional>

#include "limbeck/core/log.h"
#include "limbeck/data/training_record.h"
#include "limbeck/run/run_dir.h"

namespace limbeck {

/// Holds valid and test of `data` against what training sees, and test also against what the
/// teacher saw. `teacher_file` is the model file of the teacher, if one takes part. Returns the
/// record that the run keeps. Throws DataError that lists the leaks, unless they are allowed.
TrainingRecord guard_data(const DataSelection& data,
                          const std::optional<std::filesystem::path>& teacher_file, bool allow_leak,
                          Logger& logger);

/// Writes data.json into the run. Throws DataError if the run was begun on other data.
void keep_record(const RunDir& run, const TrainingRecord& record);

}  // namespace limbeck
