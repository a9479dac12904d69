#include "limbeck/run/metrics_log.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "run/layout.h"
#include "run/metrics_lines.h"

namespace limbeck {

void MetricsLog::truncate(int64_t step, bool validated) {
  const auto text = read_if_there(lines_.path());
  if (!text) return;
  std::istringstream in(*text);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto entry = parse_json_if_sound<nlohmann::json>(line);
    if (!entry.is_object() || entry.contains(kDivergedKey)) continue;
    const auto at = step_in(entry);
    const bool is_validation = entry.value("split", nlohmann::json()) == "valid";
    if (!at || *at > step || (*at == step && !validated && is_validation)) continue;
    kept += line + "\n";
  }
  write_file_atomically(lines_.path(), kept);
}

void MetricsLog::complete(const std::filesystem::path& checkpoint) {
  const auto lines = read_if_there(checkpoint / kKeptLinesFile);
  if (!lines) return;
  const std::string text = read_if_there(lines_.path()).value_or("");
  const std::string first = lines->substr(0, lines->find('\n') + 1);
  size_t end = text.size();
  // At the start of a line, for one may be the end of another.
  for (size_t at = text.find(first); at != std::string::npos; at = text.find(first, at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    end = at;
    break;
  }
  write_file_atomically(lines_.path(), text.substr(0, end) + *lines);
}

void MetricsLog::append(const std::string& json_line) {
  const std::string failed = lines_.append(json_line);
  if (trouble_ == nullptr) {
    if (!failed.empty()) throw DataError(failed);
  } else if (failed.empty()) {
    trouble_->over(lines_.path());
  } else {
    trouble_->tell(lines_.path(), failed,
                   "training goes on, and its lines are kept until they can be written");
  }
}

void MetricsLog::sync() {
  const std::string failed = lines_.write_kept();
  if (!failed.empty()) throw DataError(failed);
  if (is_there(lines_.path())) sync_path(lines_.path());
}

}  // namespace limbeck
