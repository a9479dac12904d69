#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "limbeck/audio/audio_path.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/place.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Everything below a folder. Links to folders wait until all real ones are searched, so that what
/// they lead to has its own name wherever it has one here, in whatever order the disk lists them.
class FolderSearch {
 public:
  explicit FolderSearch(const fs::path& root) : root_(root) {
    folders_.insert(root);
    while (!folders_.empty() || !links_.empty()) {
      std::set<fs::path>& from = folders_.empty() ? links_ : folders_;
      const fs::path folder = std::move(from.extract(from.begin()).value());
      if (is_new(folder)) {
        on_disk([&] { search(folder); }, folder);
      } else {
        repeated_.push_back(folder.string());
      }
    }
    std::sort(found_.begin(), found_.end());
  }

  std::vector<fs::path> found() { return std::move(found_); }

  /// "passed over 12 .m4a, 1 .wma, which …"; empty: none.
  std::string unread() const {
    std::vector<std::string> counts;
    for (const auto& [type, count] : unread_) counts.push_back(format("%d %s", count, type));
    if (counts.empty()) return "";
    return "passed over " + join(counts, ", ") +
           ", which cannot be read (ffmpeg -i FILE FILE.flac makes what can be)";
  }

  const std::vector<std::string>& repeated() const { return repeated_; }

 private:
  bool is_new(const fs::path& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return true;  // searching says why
    return visited_.emplace(status.st_dev, status.st_ino).second;
  }

  void search(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      throw_if_interrupted();
      const fs::path& path = entry.path();
      if (path.filename().native().starts_with('.')) continue;
      std::error_code ignored;  // a ring of links is no folder; whoever reads it says what it is
      if (entry.is_directory(ignored)) {
        (entry.is_symlink(ignored) ? links_ : folders_).insert(path);
      } else if (is_audio_path(path)) {
        found_.push_back(path.lexically_relative(root_));
      } else if (is_unread_audio_path(path)) {
        ++unread_[lower_extension(path)];
      }
    }
  }

  fs::path root_;
  std::set<fs::path> folders_, links_;
  std::set<std::pair<dev_t, ino_t>> visited_;
  std::vector<fs::path> found_;
  std::vector<std::string> repeated_;
  std::map<std::string, int64_t> unread_;
};

}  // namespace

std::vector<fs::path> find_audio(const fs::path& folder, Logger* logger) {
  require_folder(folder);
  FolderSearch search(folder);
  const std::string unread = search.unread();
  std::vector<fs::path> found = search.found();
  if (found.empty()) {
    throw DataError(folder.string() + ": holds no audio file (.wav, .flac, .ogg, .mp3, .aiff)" +
                    (unread.empty() ? "" : ": " + unread));
  }
  if (logger == nullptr) return found;
  if (!unread.empty()) logger->warn(folder.string() + ": " + unread);
  if (!search.repeated().empty()) {
    logger->warn(format("%s: %d links lead to folders that are searched already:", folder,
                        search.repeated().size()) +
                 listed(search.repeated(), 3));
  }
  return found;
}

}  // namespace limbeck
