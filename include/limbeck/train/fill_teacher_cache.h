#pragma once

#include <cstdint>

#include "limbeck/core/log.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// Lets the teacher say beforehand, and `distill.cache.dir` keep, what a training by this
/// configuration will ask of it: of every batch of the epochs after which batches come again
/// (`data.epochs_unique`), as far as the training gets, and of those of validation. Nothing is
/// trained, and what is there already is left as it is, so that a filling that was cut short goes
/// on. Afterwards such trainings, any number of them at a time, only read.
///
/// Batches are those of `run.seed`, `train.batch_size`, `data` and the content of its files: who
/// differs in any of these asks for others, and has to be filled for by itself (validation's depend
/// on no seed). Who differs in terms asks for other taps of the same; the terms of several methods
/// may stand in one configuration, so that the teacher is run once for all. The folder is also one
/// for its teacher, `run.device`, `run.kernels`, `run.threads` and `distill.cache.precision`.
///
/// Returns how many batches the teacher was run for: 0 without terms, `distill.cache.dir` or
/// `data.epochs_unique`. Where the folder cannot be written, or is full, that is warned of, as in
/// training, and the filling ends. Throws ConfigError, DataError, Interrupted (what was made
/// stays).
int64_t fill_teacher_cache(const TrainingConfig& config, Logger& logger);

}  // namespace limbeck
