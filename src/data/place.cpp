#include "limbeck/data/place.h"

#include <algorithm>

#include "limbeck/core/error.h"

namespace limbeck {

namespace fs = std::filesystem;

fs::path written_out(const fs::path& path) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed);
  if (failed) throw DataError(path.string() + ": " + failed.message());
  return absolute.lexically_normal();
}

fs::path place_of(const fs::path& file) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(file, failed);
  const fs::path folder = failed ? "" : fs::weakly_canonical(absolute.parent_path(), failed);
  if (failed) throw DataError(file.string() + ": " + failed.message());
  return folder / absolute.filename();
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void require_folder(const fs::path& path) {
  std::error_code failed;
  const fs::file_type type = fs::status(path, failed).type();
  if (type == fs::file_type::directory) return;
  throw DataError(path.string() + ": " +
                  (type == fs::file_type::not_found ? "does not exist"
                   : failed                         ? failed.message()
                                                    : "is not a folder"));
}

void make_folder(const fs::path& path) {
  if (path.empty()) return;
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw DataError(path.string() + ": cannot be made: " + failed.message());
}

std::string folder_name(const fs::path& folder) {
  const fs::path given = folder.has_filename() ? folder : folder.parent_path();
  const fs::path name = given.filename();
  const bool names_nothing = name.empty() || name == "." || name == "..";
  return (names_nothing ? place_of(given / ".").parent_path() : given).filename().string();
}

std::string path_from(const fs::path& folder, const fs::path& file) {
  const fs::path place = place_of(file);
  auto [a, b] = std::mismatch(place.begin(), place.end(), folder.begin(), folder.end());
  const bool only_root = std::distance(place.begin(), a) <= 1;
  return (only_root ? place : place.lexically_relative(folder)).generic_string();
}

}  // namespace limbeck
