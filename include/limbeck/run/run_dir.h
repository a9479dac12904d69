#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "limbeck/config/resolve.h"
#include "limbeck/core/files.h"
#include "limbeck/core/log.h"

namespace limbeck {

/// The folder of one run: config.yaml, environment.json, data.json, train.log, metrics.jsonl,
/// checkpoints/. Locked while open.
class RunDir {
 public:
  /// Makes the folder, or opens it for resuming. `config` is everything, `results` only what
  /// changes results. `stored_results` reads back the same from an older config.yaml. With
  /// `restart`, what an older run left is removed first. Throws ConfigError if the folder holds
  /// something else than a run, a run of another configuration (all differences are listed), or is
  /// in use.
  RunDir(std::filesystem::path path, const config::Node& config, const config::Node& results,
         config::Node (*stored_results)(const std::string& yaml, const std::string& source),
         bool restart);

  const std::filesystem::path& path() const { return path_; }
  /// Drops the lines of metrics.jsonl after `step`: a resumed run writes them again.
  void truncate_metrics(int64_t step);
  /// Appends one line of JSON and flushes it.
  void append_metrics(const std::string& json_line);

 private:
  std::filesystem::path path_;
  std::unique_ptr<DirectoryLock> lock_;
};

/// Opens the run folder of `options`, whose whole configuration is described by `Options`.
template <class Options>
RunDir open_run_dir(const std::filesystem::path& path, const Options& options, bool restart) {
  return RunDir(
      path, config::to_node(options), config::to_node(options, true),
      [](const std::string& yaml, const std::string& source) {
        return config::to_node(config::read_text<Options>(yaml, source), true);
      },
      restart);
}

}  // namespace limbeck
