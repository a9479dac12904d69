#include "limbeck/run/run_dir.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Everything that a run writes; --restart removes these and nothing else.
constexpr const char* kContents[] = {"checkpoints",   "best.json",   "last.json",
                                     "train.log",     "config.yaml", "environment.json",
                                     "metrics.jsonl", "data.json"};

}  // namespace

RunDir::RunDir(fs::path path, const config::Node& config, const config::Node& results,
               config::Node (*stored_results)(const std::string&, const std::string&), bool restart)
    : path_(std::move(path)) {
  const fs::path config_path = path_ / "config.yaml";
  std::error_code none_yet;
  if (!fs::exists(config_path) && fs::exists(path_)) {
    for (const auto& entry : fs::directory_iterator(path_, none_yet)) {
      if (entry.path().filename() == "lock") continue;
      throw ConfigError(path_.string() + ": is not a run folder: it holds " +
                        entry.path().filename().string() + " but no config.yaml");
    }
  }
  std::error_code failed;
  fs::create_directories(path_, failed);
  if (failed) throw DataError(path_.string() + ": cannot be made: " + failed.message());
  lock_ = std::make_unique<DirectoryLock>(path_);
  if (restart) {
    for (const char* name : kContents) fs::remove_all(path_ / name);
  }
  if (fs::exists(config_path)) {
    const auto changed =
        config::differences(stored_results(read_file(config_path), config_path.string()), results);
    if (!changed.empty()) {
      throw ConfigError(
          path_.string() +
          ": holds a run of another configuration; give another run.dir, or --restart to start "
          "over. Differences:\n  " +
          join(changed, "\n  "));
    }
  }
  write_file_atomically(config_path, config::to_yaml(config));
}

void RunDir::truncate_metrics(int64_t step) {
  const fs::path path = path_ / "metrics.jsonl";
  if (!fs::exists(path)) return;
  std::istringstream in(read_file(path));
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("step", step + 1) > step) break;
    kept += line + "\n";
  }
  write_file_atomically(path, kept);
}

void RunDir::append_metrics(const std::string& json_line) {
  const fs::path path = path_ / "metrics.jsonl";
  const std::string line = json_line + "\n";
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool written = descriptor >= 0 && ::write(descriptor, line.data(), line.size()) ==
                                              static_cast<ssize_t>(line.size());
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw DataError(path.string() + ": cannot be written: " + std::strerror(reason));
}

}  // namespace limbeck
