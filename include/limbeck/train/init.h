#pragma once

#include <optional>

#include "limbeck/core/log.h"
#include "limbeck/nn/model.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// The model file whose weights training begins with (`train.init`), if it does. Throws ConfigError
/// where what is named is none; DataError where it cannot be read.
std::optional<TrainedModel> find_init(const TrainOptions& options);

/// Copies its weights into the network: all, or by `train.init_fit: partial` those that fit by name
/// and shape. `logger`, if there is one, is told which those are. Throws ConfigError that lists
/// what does not fit; DataError.
void take_init(nn::DenoisingModel& model, const TrainOptions& options, const TrainedModel& init,
               Logger* logger);

}  // namespace limbeck
