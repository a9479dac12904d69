#include "run/layout.h"

#include "limbeck/core/files.h"

namespace limbeck {
namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  return on_disk([&] { return fs::exists(path); });
}

bool lies_there(const fs::path& path) {
  return on_disk([&] { return fs::exists(fs::symlink_status(path)); });
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
  std::error_code failed;
  fs::remove_all(aside, failed);
  if (!failed) return;
  // What somebody has made read-only goes, too. What cannot be removed even so (on a network file
  // system, while somebody reads it) is tried again by whoever opens the run next.
  std::error_code ignored;
  const auto open_up = [&](const fs::path& folder) {
    fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  };
  open_up(aside);
  for (fs::recursive_directory_iterator entry(aside, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) open_up(entry->path());
  }
  fs::remove_all(aside, ignored);
}

}  // namespace limbeck
