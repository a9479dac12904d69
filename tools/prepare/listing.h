#pragma once

// What the subcommands share that list audio files in a manifest.

#include <CLI/CLI.hpp>
#include <filesystem>

#include "limbeck/core/log.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {

/// --speaker, --rate, and what copies are made of: --audio-out, --resample, --channel.
void describe_audio(CLI::App& app, SpeakerRule& speaker, int64_t& rate_hz, CopyOptions& copies);

/// Tells of the problems, writes what is good, and returns the exit code.
int write_listing(const Listing& prepared, const std::filesystem::path& out, Logger& logger);

}  // namespace limbeck
