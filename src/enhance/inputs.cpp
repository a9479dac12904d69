#include "enhance/inputs.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kExtensions[] = {
    ".wav",   ".wave", ".bwf",  ".rf64", ".w64", ".aif",  ".aiff", ".aifc", ".au",
    ".snd",   ".caf",  ".flac", ".ogg",  ".oga", ".opus", ".mp3",  ".mp2",  ".m1a",
    ".voc",   ".nist", ".sph",  ".paf",  ".pvf", ".iff",  ".8svx", ".svx",  ".sf",
    ".ircam", ".avr",  ".htk",  ".sds",  ".sd2", ".wve",  ".xi",   ".mpc"};

std::string lower_extension(const fs::path& path) {
  std::string text = path.extension().string();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class Search {
 public:
  explicit Search(const fs::path& out) : out_(file_number(out)) {}

  void take_named(const fs::path& path) {
    std::error_code missing;
    const fs::file_type type = fs::status(path, missing).type();
    if (type == fs::file_type::not_found) {
      fail(path, "does not exist");
    } else if (type == fs::file_type::directory) {
      take_named_folder(path);
    } else if (fs::exists(fs::file_status(type)) && type != fs::file_type::regular) {
      fail(path, "is no regular file; what comes through a pipe is taken from standard input: -");
    } else {
      found_.files.push_back({path, path.filename()});
    }
  }

  FoundInputs result() {
    std::vector<std::string> counts;
    for (const auto& [kind, count] : passed_over_) counts.push_back(format("%d %s", count, kind));
    found_.passed_over = join(counts, ", ");
    return std::move(found_);
  }

 private:
  void take_named_folder(const fs::path& folder) {
    if (out_ && file_number(folder) == out_) {
      throw ConfigError("--out: " + folder.string() +
                        " is the folder that is read; choose another one");
    }
    const size_t before = found_.files.size() + found_.failures.size();
    go_through(folder, "");
    if (found_.files.size() + found_.failures.size() == before) fail(folder, "holds no recording");
  }

  void go_through(const fs::path& folder, const fs::path& relative) {
    const auto number = file_number(folder);
    const bool is_ring = std::find(above_.begin(), above_.end(), number) != above_.end();
    if (is_ring || (out_ && number == out_)) return;
    above_.push_back(number);
    std::vector<fs::path> names;
    try {
      for (const auto& entry : fs::directory_iterator(folder)) {
        names.push_back(entry.path().filename());
      }
    } catch (const fs::filesystem_error& e) {
      fail(folder, e.code().message());
    }
    std::sort(names.begin(), names.end());
    for (const fs::path& name : names) take(folder / name, relative / name);
    above_.pop_back();
  }

  void take(const fs::path& path, const fs::path& relative) {
    std::error_code missing;
    const fs::file_type type = fs::status(path, missing).type();
    const std::string extension = lower_extension(path);
    if (relative.filename().native().starts_with('.')) {
      ++passed_over_["hidden"];
    } else if (type == fs::file_type::directory) {
      go_through(path, relative);
    } else if (!is_recording_name(path)) {
      ++passed_over_[extension.empty() ? "without extension" : extension];
    } else if (fs::exists(fs::file_status(type)) && type != fs::file_type::regular) {
      ++passed_over_["no regular file"];
    } else {
      found_.files.push_back({path, relative});  // a dangling link is told of when it is opened
    }
  }

  void fail(const fs::path& path, const std::string& reason) {
    found_.failures.push_back({path, reason});
  }

  std::optional<FileNumber> out_;
  std::vector<std::optional<FileNumber>> above_;  ///< the folders that lead to where it is
  std::map<std::string, int64_t> passed_over_;
  FoundInputs found_;
};

}  // namespace

bool is_recording_name(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) !=
         std::end(kExtensions);
}

FoundInputs find_inputs(const std::vector<fs::path>& named, const fs::path& out) {
  Search search(out);
  for (const fs::path& path : named) search.take_named(path);
  return search.result();
}

}  // namespace limbeck
