#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "limbeck/core/log.h"

namespace limbeck {

/// A subcommand as CLI11 knows it, and what it does once it is chosen: `run` returns the exit code
/// and owns the options that `app` fills.
struct Subcommand {
  CLI::App* app;
  std::function<int(Logger&)> run;
};

}  // namespace limbeck
