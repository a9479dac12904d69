#include "enhance/inputs.h"

#include <map>
#include <optional>
#include <system_error>

#include "limbeck/audio/find_audio.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

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
    const FolderContents contents = search_folder(folder, out_);
    for (const fs::path& relative : contents.audio) take(folder / relative, relative);
    for (const auto& [closed, reason] : contents.closed) fail(closed, reason);
    for (const auto* counts : {&contents.unread, &contents.others}) {
      for (const auto& [kind, count] : *counts) passed_over_[kind] += count;
    }
    if (const auto count = static_cast<int64_t>(contents.repeated.size()); count > 0) {
      passed_over_["searched by another name"] += count;
    }
    if (found_.files.size() + found_.failures.size() == before) fail(folder, "holds no recording");
  }

  void take(const fs::path& path, const fs::path& relative) {
    std::error_code missing;
    const fs::file_status there = fs::status(path, missing);
    if (fs::exists(there) && !fs::is_regular_file(there)) {
      ++passed_over_["no regular file"];
    } else {
      found_.files.push_back({path, relative});  // a dangling link is told of when it is opened
    }
  }

  void fail(const fs::path& path, const std::string& reason) {
    found_.failures.push_back({path, reason});
  }

  std::optional<FileNumber> out_;
  std::map<std::string, int64_t> passed_over_;
  FoundInputs found_;
};

}  // namespace

FoundInputs find_inputs(const std::vector<fs::path>& named, const fs::path& out) {
  Search search(out);
  for (const fs::path& path : named) search.take_named(path);
  return search.result();
}

}  // namespace limbeck
