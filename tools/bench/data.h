#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace limbeck {

/// Adds `limbeck-bench data`; returns what runs it.
std::function<int()> add_data_command(CLI::App& app);

}  // namespace limbeck
