#pragma once

#include <string>

#include "limbeck/audio/stream_reader.h"
#include "limbeck/enhance/files.h"

namespace limbeck {

/// RATE,CHANNELS,FORMAT, such as "16000,1,s16"; FORMAT may be anything. Throws
/// ConfigError.
RawFormat raw_format(const std::string& text);

/// Denoises standard input, or one file, into standard output, which flows while input does. An
/// interrupt ends the input: what came in goes out, then Interrupted is thrown.
ExitCode run_pipe(const EnhanceConfig& config, const nn::Enhancer& enhancer, Logger& logger);

}  // namespace limbeck
