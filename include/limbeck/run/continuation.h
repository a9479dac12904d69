#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "limbeck/data/training_record.h"
#include "limbeck/run/identity.h"
#include "limbeck/run/length_plan.h"
#include "limbeck/run/run_dir.h"
#include "limbeck/run/run_view.h"

namespace limbeck {

/// What the run that lies there is known by; nothing where there is none, or what RunDir refuses.
std::optional<Identity> stored_identity(const RunView& run);

/// How a folder's run is gone on with.
struct Continuation {
  Identity identity;               ///< that it has from now on
  std::optional<Identity> before;  ///< that it has now, if that is another
  LengthPlan plan;
};

/// `planned` is what the configuration asks for, `steps` the steps in it, `stored` what is to be
/// gone on with, if anything is. A run that differs in nothing but having fewer steps is extended,
/// if that is asked for. What lies there otherwise is for RunDir to judge. Throws ConfigError that
/// says what to do; DataError.
Continuation continue_run(const RunView& run, const std::optional<Identity>& stored,
                          const Identity& planned, int64_t steps, bool extend);

/// A checkpoint that another run begins with.
struct Fork {
  std::filesystem::path checkpoint;
  int64_t step = 0;
  std::string parent;   ///< hash of its run's identity
  std::string content;  ///< hash of its files
  std::optional<TrainingRecord> record;
};

/// The `which` ("last" or "best") checkpoint of a run. Throws ConfigError, DataError.
Fork find_fork(const std::filesystem::path& run, const std::string& which);

/// Makes `planned` that of a fork, where `run` is one already or is to be one of `parent` (empty:
/// no). Returns the checkpoint to begin with, where there is none yet. Throws as find_fork does.
std::optional<Fork> plan_fork(const RunView& run, const std::optional<Identity>& stored,
                              const std::filesystem::path& parent, const std::string& which,
                              Identity& planned);

/// Puts the fork's checkpoint into the run, as one of a run of so many steps that is not validated.
/// Throws DataError.
void begin_with(const Fork& fork, const RunDir& run, int64_t planned_steps);

}  // namespace limbeck
