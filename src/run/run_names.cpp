#include "limbeck/run/run_names.h"

#include <algorithm>

namespace limbeck {
namespace fs = std::filesystem;

std::vector<std::pair<std::string, fs::path>> named_runs(const std::vector<fs::path>& runs) {
  const auto whole = [](const fs::path& run) {
    const fs::path path = fs::absolute(run).lexically_normal();
    return path.filename().empty() ? path.parent_path() : path;
  };
  fs::path common = whole(runs.front()).parent_path();
  for (const fs::path& run : runs) {
    const fs::path parent = whole(run).parent_path();
    const auto [end, unused] =
        std::mismatch(common.begin(), common.end(), parent.begin(), parent.end());
    fs::path shared;
    for (auto part = common.begin(); part != end; ++part) shared /= *part;
    common = shared;
  }
  std::vector<std::pair<std::string, fs::path>> named;
  for (const fs::path& run : runs) {
    named.emplace_back(whole(run).lexically_relative(common).generic_string(), run);
  }
  return named;
}

}  // namespace limbeck
