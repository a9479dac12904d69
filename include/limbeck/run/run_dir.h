#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "limbeck/config/node.h"
#include "limbeck/core/files.h"
#include "limbeck/core/log.h"
#include "limbeck/data/training_record.h"
#include "limbeck/run/identity.h"
#include "limbeck/run/metrics_log.h"
#include "limbeck/run/start_record.h"
#include "limbeck/run/write_trouble.h"

namespace limbeck {

/// The folder of a run, for the one process that trains it: identity.json, config.yaml,
/// environment.json, data.json, start.json, train.log, metrics.jsonl, checkpoints/, diverged/.
/// Locked while open; all others read it through RunView.
class RunDir {
 public:
  /// Makes the folder, or opens it for resuming. `config` is written into it for people. With
  /// `restart`, what an older run left is removed first. Throws ConfigError if the folder holds
  /// something else than a run, a run of another identity (all differences are listed) or of none,
  /// or is in use. `logger`, if there is one, must outlive this; it is told where the folder cannot
  /// be locked, and later on where it cannot be written.
  /// A run whose identity is `before` gets the new one.
  RunDir(std::filesystem::path path, const Identity& identity, const config::Node& config,
         bool restart, Logger* logger = nullptr, const std::optional<Identity>& before = {});

  const std::filesystem::path& path() const { return path_; }
  MetricsLog& metrics() { return metrics_; }
  WriteTrouble& trouble() { return *trouble_; }
  /// Keeps what the run is trained on.
  void write_record(const TrainingRecord& record);
  /// Keeps how it began.
  void write_start(const StartRecord& start);
  /// Keeps what is known of a step that was skipped (diverged/step-00000008.json), or tells that it
  /// cannot; returns where.
  std::filesystem::path write_skipped(int64_t step, const std::string& json);

  /// Throws DataError unless the run still lies in its folder: one that was removed, or is no
  /// longer mounted, must not be begun anew without what it is known by.
  void require_there() const;
  /// Writes what the run is known by into another folder. Throws DataError.
  void describe_in(const std::filesystem::path& folder) const;

  /// Ends the metrics with why training cannot go on from here. A run that is resumed drops it.
  void write_divergence(int64_t step, const std::string& reason);

 private:
  std::filesystem::path path_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<WriteTrouble> trouble_;
  MetricsLog metrics_;
  std::map<std::string, std::string> known_by_;  // files, as they were written
};

}  // namespace limbeck
