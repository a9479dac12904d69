#pragma once

#include "limbeck/core/random.h"
#include "limbeck/data/loader.h"
#include "limbeck/nn/model.h"
#include "limbeck/run/run_dir.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// How a training begins that has done no step yet. Makes its first eight batches. Throws what a
/// Loader does.
StartRecord start_record(const TrainOptions& options, const nn::DenoisingModel& model,
                         const Dataset& train, LoaderOptions loader, SeedKey root);

/// Keeps that in the run, which may be gone on with: what is known of its beginning stays, but for
/// the steps that are planned, which may have become more. `model` is as the run begins with it.
void keep_start(RunDir& run, const TrainOptions& options, const nn::DenoisingModel& model,
                const Dataset& train, const LoaderOptions& loader, SeedKey root);

}  // namespace limbeck
