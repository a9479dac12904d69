#include "limbeck/audio/find_audio.h"

#include <algorithm>
#include <set>
#include <utility>

#include "limbeck/audio/audio_path.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/place.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

using Counts = std::map<std::string, int64_t>;

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

/// Links to folders wait until all real ones are searched, so that what they lead to has its own
/// name wherever it has one here, in whatever order the disk lists them.
class FolderSearch {
 public:
  FolderSearch(const fs::path& root, const std::optional<FileNumber>& left_out) : root_(root) {
    folders_.insert(root);
    while (!folders_.empty() || !links_.empty()) {
      std::set<fs::path>& from = folders_.empty() ? links_ : folders_;
      const fs::path folder = std::move(from.extract(from.begin()).value());
      const auto number = file_number(folder);
      if (number && number == left_out) continue;
      if (number && !visited_.insert(*number).second) {
        found_.repeated.push_back(folder.string());
        continue;
      }
      try {
        search(folder);
      } catch (const fs::filesystem_error& e) {
        found_.closed.emplace_back(folder, e.code().message());
      }
    }
    std::sort(found_.audio.begin(), found_.audio.end());
  }

  FolderContents found() { return std::move(found_); }

 private:
  void search(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      throw_if_interrupted();
      const fs::path& path = entry.path();
      std::error_code ignored;  // a ring of links is no folder; whoever reads it says what it is
      if (!is_hidden(path) && entry.is_directory(ignored)) {
        (entry.is_symlink(ignored) ? links_ : folders_).insert(path);
      } else {
        found_.add(path.lexically_relative(root_));
      }
    }
  }

  fs::path root_;
  std::set<fs::path> folders_, links_;
  std::set<FileNumber> visited_;
  FolderContents found_;
};

/// Takes the lossy files out that have a lossless one of the same name beside them, and counts
/// them.
Counts leave_best(std::vector<fs::path>& files) {
  std::set<fs::path> lossless;
  for (const fs::path& file : files) {
    if (!is_lossy_path(file)) lossless.insert(fs::path(file).replace_extension());
  }
  Counts counts;
  std::erase_if(files, [&](const fs::path& file) {
    const bool is_second =
        is_lossy_path(file) && lossless.contains(fs::path(file).replace_extension());
    if (is_second) ++counts[lower_extension(file)];
    return is_second;
  });
  return counts;
}

/// "passed over 12 .m4a, 1 .wma, which …"; empty: none.
std::string passed_over(const Counts& counts, const char* reason) {
  std::vector<std::string> types;
  for (const auto& [type, count] : counts) types.push_back(format("%d %s", count, type));
  return types.empty() ? "" : "passed over " + join(types, ", ") + reason;
}

}  // namespace

void FolderContents::add(const fs::path& relative) {
  const std::string extension = lower_extension(relative);
  if (is_hidden(relative)) {
    ++others["hidden"];
  } else if (is_audio_path(relative)) {
    audio.push_back(relative);
  } else if (is_unread_audio_path(relative)) {
    ++unread[extension];
  } else {
    ++others[extension.empty() ? "without extension" : extension];
  }
}

FolderContents search_folder(const fs::path& folder, const std::optional<FileNumber>& left_out) {
  return FolderSearch(folder, left_out).found();
}

std::vector<fs::path> choose_audio(FolderContents found, const fs::path& place, Logger* logger) {
  if (!found.closed.empty()) {
    const auto& [closed, reason] = found.closed.front();
    throw DataError(closed.string() + ": " + reason);
  }
  const std::string unread = passed_over(
      found.unread, ", which cannot be read (ffmpeg -i FILE FILE.flac makes what can be)");
  if (found.audio.empty()) {
    throw DataError(place.string() + ": holds no audio file (.wav, .flac, .ogg, .mp3, .aiff)" +
                    (unread.empty() ? "" : ": " + unread));
  }
  const std::string second = passed_over(
      leave_best(found.audio), ", beside which files of the same name are of a lossless type");
  if (logger == nullptr) return std::move(found.audio);
  for (const std::string& text : {unread, second}) {
    if (!text.empty()) logger->warn(place.string() + ": " + text);
  }
  if (!found.repeated.empty()) {
    logger->warn(format("%s: %d links lead to folders that are searched already:", place,
                        found.repeated.size()) +
                 listed(found.repeated, 3));
  }
  return std::move(found.audio);
}

std::vector<fs::path> find_audio(const fs::path& folder, Logger* logger) {
  require_folder(folder);
  return choose_audio(search_folder(folder), folder, logger);
}

}  // namespace limbeck
