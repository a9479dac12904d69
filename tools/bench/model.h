#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace limbeck {

/// Adds `limbeck-bench model`; returns what runs it.
std::function<int()> add_model_command(CLI::App& app);

}  // namespace limbeck
