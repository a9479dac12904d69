#include "limbeck/core/id_paths.h"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Why an id names no file below a folder; empty if it does.
std::string problem_of(const std::string& id) {
  const fs::path path(id);
  const std::string name = path.filename().string();
  if (id.size() >= PATH_MAX) return format("is longer than %d bytes", PATH_MAX - 1);
  if (path.is_absolute()) return "is an absolute path";
  if (std::find(path.begin(), path.end(), "..") != path.end()) return "leads out of the folder";
  if (name.empty() || name == ".") return "has no file name";
  return id.find('\0') == std::string::npos ? "" : "has a zero byte";
}

}  // namespace

fs::path path_of_id(const std::string& id, const std::string& suffix) {
  return fs::path(id + suffix).lexically_normal();
}

void require_paths_of_ids(const std::vector<std::string>& ids, const std::string& suffix,
                          const std::string& source) {
  std::vector<std::string> problems;
  std::map<fs::path, const std::string*> owners;
  const auto add = [&](const std::string& id, const std::string& problem) {
    problems.push_back("'" + id + "' " + problem);
  };
  for (const std::string& id : ids) {
    const std::string problem = problem_of(id);
    if (!problem.empty()) {
      add(id, problem);
      continue;
    }
    const auto [owner, is_new] = owners.emplace(path_of_id(id, suffix), &id);
    if (!is_new) add(id, "names the same file as '" + *owner->second + "'");
  }
  for (const auto& [path, id] : owners) {
    for (fs::path folder = path.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      const auto owner = owners.find(folder);
      if (owner != owners.end())
        add(*id, "needs a folder where '" + *owner->second + "' is a file");
    }
  }
  if (problems.empty()) return;
  throw DataError(source + ": ids that cannot name files:" + listed(problems));
}

std::optional<FileNumber> file_number(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileNumber{status.st_dev, status.st_ino};
}

void require_inputs_kept(const std::vector<fs::path>& written,
                         const std::vector<fs::path>& inputs) {
  std::map<FileNumber, const fs::path*> there;
  for (const fs::path& path : written) {
    if (const auto number = file_number(path)) there.emplace(*number, &path);
  }
  if (there.empty()) return;
  for (const fs::path& input : inputs) {
    const auto number = file_number(input);
    if (!number) continue;
    const auto found = there.find(*number);
    if (found == there.end()) continue;
    throw ConfigError(input.string() + ": is read, and writing " + found->second->string() +
                      " would replace it; choose another folder (--out)");
  }
}

}  // namespace limbeck
