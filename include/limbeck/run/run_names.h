#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limbeck {

/// Runs with names of their own: the paths below the deepest folder that holds them all.
std::vector<std::pair<std::string, std::filesystem::path>> named_runs(
    const std::vector<std::filesystem::path>& runs);

}  // namespace limbeck
