#pragma once

// What the subcommands share that write a table, and those that list audio files in one.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {

/// --speaker, --rate, and what copies are made of: --audio-out, --resample, --channel.
void describe_audio(CLI::App& app, SpeakerRule& speaker, int64_t& rate_hz, CopyOptions& copies);

/// For before anything is read: throws DataError where the table `out` cannot be written, and
/// ConfigError where it has the name of a recording or would replace one of the files `read`.
void require_table(const std::filesystem::path& out,
                   const std::vector<std::filesystem::path>& read);

/// Tells of the problems, writes what is good, and returns the exit code.
int write_listing(const Listing& prepared, const std::filesystem::path& out, Logger& logger);

}  // namespace limbeck
