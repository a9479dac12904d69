#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "limbeck/audio/stream_reader.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/log.h"
#include "limbeck/enhance/recording.h"

namespace limbeck {

/// Denoises all that `reader` has into `writer`, which the caller finishes. Returns the samples per
/// channel. `goes_on` is told how many were read so far; once it says no, no more are read, and
/// what came in goes out.
int64_t pass(StreamReader& reader, StreamWriter& writer, const nn::Enhancer& enhancer,
             const RecordingOptions& options, const std::function<bool(int64_t)>& goes_on);

/// Says what does not come through of recordings of these rates.
void say_what_is_lost(const std::vector<int>& rates_hz, const nn::Enhancer& enhancer,
                      const RecordingOptions& options, Logger& logger);

}  // namespace limbeck
