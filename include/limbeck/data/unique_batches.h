#pragma once

#include <cstdint>

#include "limbeck/data/loader.h"

namespace limbeck {

/// Batches of a data set of `items` after which the first one comes again, which
/// `options.epochs_unique` > 0 makes them do.
int64_t unique_batches(const LoaderOptions& options, int64_t items);

}  // namespace limbeck
