#include "limbeck/core/place.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {

namespace fs = std::filesystem;

fs::path written_out(const fs::path& path) {
  return on_disk([&] { return fs::absolute(path); }).lexically_normal();
}

fs::path place_of(const fs::path& file) {
  return on_disk([&] {
    const fs::path absolute = fs::absolute(file);
    return fs::weakly_canonical(absolute.parent_path()) / absolute.filename();
  });
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void require_folder(const fs::path& path) {
  const fs::file_type type = on_disk([&] { return fs::status(path).type(); });
  if (type == fs::file_type::directory) return;
  throw DataError(path.string() + ": " +
                  (type == fs::file_type::not_found ? "does not exist" : "is not a folder"));
}

void make_folder(const fs::path& path) {
  if (!path.empty()) on_disk([&] { fs::create_directories(path); });
}

void require_writable(const fs::path& file) {
  if (is_stream(file)) return;
  if (is_folder(file)) throw DataError(file.string() + ": is a folder");
  const fs::path place = on_disk([&] { return fs::weakly_canonical(fs::absolute(file)); });
  fs::path folder = place.parent_path();
  std::error_code ignored;
  while (folder.has_relative_path() && !fs::exists(folder, ignored)) folder = folder.parent_path();
  const int reason = !is_folder(folder)                               ? ENOTDIR
                     : ::euidaccess(folder.c_str(), W_OK | X_OK) != 0 ? errno
                                                                      : 0;
  if (reason == 0) return;
  throw DataError(file.string() + ": cannot be written: " + folder.string() + ": " +
                  std::strerror(reason));
}

fs::path folder_path(const fs::path& folder) {
  const fs::path given = folder.has_filename() ? folder : folder.parent_path();
  const fs::path name = given.filename();
  const bool names_nothing = name.empty() || name == "." || name == "..";
  return names_nothing ? place_of(given / ".").parent_path() : written_out(given);
}

std::string folder_name(const fs::path& folder) { return folder_path(folder).filename().string(); }

std::string path_from(const fs::path& folder, const fs::path& file) {
  const fs::path place = place_of(file);
  auto [a, b] = std::mismatch(place.begin(), place.end(), folder.begin(), folder.end());
  const bool only_root = std::distance(place.begin(), a) <= 1;
  return (only_root ? place : place.lexically_relative(folder)).generic_string();
}

}  // namespace limbeck
