#include "run/metrics_lines.h"

#include <algorithm>

#include "limbeck/core/files.h"
#include "limbeck/core/json.h"

namespace limbeck {

using nlohmann::json;

void for_each_line(const std::filesystem::path& file,
                   const std::function<void(const json&)>& take) {
  const std::string text = read_file(file);
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const auto line = parse_json_if_sound<json>(std::string_view(text).substr(start, end - start));
    if (line.is_object()) take(line);  // else it is being written, or was cut short by a crash
    start = end + 1;
  }
}

std::optional<int64_t> step_in(const json& line) {
  const auto step = line.find("step");
  const bool is_step = step != line.end() && step->is_number_integer();
  return is_step ? std::optional(step->get<int64_t>()) : std::nullopt;
}

void for_each_number(const json& line, const std::function<void(const std::string&, double)>& take,
                     const std::string& prefix) {
  for (const auto& [key, value] : line.items()) {
    if (value.is_object()) for_each_number(value, take, prefix + key + ".");
    if (value.is_number()) take(prefix + key, value.get<double>());
  }
}

}  // namespace limbeck
