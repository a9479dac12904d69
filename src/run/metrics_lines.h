#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace limbeck {

/// Calls `take` for each whole line of a metrics.jsonl. Throws DataError if it cannot be read.
void for_each_line(const std::filesystem::path& file,
                   const std::function<void(const nlohmann::json&)>& take);

/// The step of a line that has a sound one.
std::optional<int64_t> step_in(const nlohmann::json& line);

/// Calls `take` for each number of a line, with its key, dotted in inner objects.
void for_each_number(const nlohmann::json& line,
                     const std::function<void(const std::string&, double)>& take,
                     const std::string& prefix = "");

}  // namespace limbeck
