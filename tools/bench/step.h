#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace limbeck {

/// Adds `limbeck-bench step`; returns what runs it.
std::function<int()> add_step_command(CLI::App& app);

}  // namespace limbeck
