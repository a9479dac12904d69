#include "run/layout.h"

#include "limbeck/core/files.h"

namespace limbeck {
namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  return on_disk([&] { return fs::exists(path); });
}

std::optional<std::string> read_if_there(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const DataError&) {
    if (is_there(path)) throw;
    return std::nullopt;
  }
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!is_there(folder)) return entries;
  const auto take_all = [&] {
    for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  };
  on_disk(take_all, folder);
  return entries;
}

bool is_temporary(const fs::path& path) {
  return path.filename().string().starts_with('.') && path.extension() == ".tmp";
}

void remove_at_once(const fs::path& path) {
  const fs::path aside = temporary_sibling(path);
  on_disk([&] { fs::rename(path, aside); });
  // On a network file system not while somebody reads it; whoever opens the run next tries again.
  std::error_code ignored;
  fs::remove_all(aside, ignored);
}

}  // namespace limbeck
