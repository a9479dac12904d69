#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/study/config.h"

namespace limbeck {

struct StudyRunOptions {
  std::filesystem::path tool;             ///< limbeck-study, which runs the nodes
  bool check_only = false;                ///< say how the grid stands, and stop
  bool dry_run = false;                   ///< the same with every node and what the rest will cost
  bool fail_fast = false;                 ///< stop all at the first failure
  bool restart_changed = false;           ///< train what is of another configuration anew
  bool yes = false;                       ///< begin any number of trainings
  bool retry = false;                     ///< train anew what diverged or is damaged
  std::vector<std::string> retried = {};  ///< ids of these; empty: all
  /// Asks whoever sits there and returns whether that is a yes; empty where nobody does.
  std::function<bool(const std::string&)> ask = {};
};

/// Runs what is not done yet of a study's grid, each node by a process of its own, as many at a
/// time as fit, and writes the report. What failed is told at once and in the report, and the rest
/// goes on; then, and where anything is missing, the result is some_failed. Killed at any moment,
/// the same call goes on. Throws Interrupted once the running trainings have saved, ConfigError
/// and DataError before anything is begun.
ExitCode run_study(const StudyConfig& config, const StudyRunOptions& options, Logger& logger);

struct StudyNodeOptions {
  int64_t threads = -1;                   ///< negative: as the study states
  std::string device = {};                ///< empty: as the study states
  bool restart = false;                   ///< begin a training anew that diverged or is damaged
  std::vector<std::string> command = {};  ///< that began this
};

/// Runs one node of the study in `dir`, in this process. What it needs has to be done: ConfigError.
/// Returns some_failed where a score is not defined; throws as trainings and evaluations
/// do.
ExitCode run_study_node(const std::filesystem::path& dir, const std::string& id,
                        const StudyNodeOptions& options, Logger& logger);

/// The configuration of the study that lies in `dir`. Throws ConfigError where none does.
StudyConfig read_study(const std::filesystem::path& dir);

/// Writes the report of the study in `dir` from what is there, and prints its tables. Runs nothing.
ExitCode report_study(const std::filesystem::path& dir, Logger& logger);

/// How the study in `dir` stands: counts by kind of node, what runs and how far it is, what failed
/// and why. Quick: it takes the word of the study's process for it.
std::string study_status(const std::filesystem::path& dir);

/// Interrupts the process that runs the study in `dir` and waits until it has saved and ended.
/// Throws ConfigError where none runs, or not on this machine.
void cancel_study(const std::filesystem::path& dir, Logger& logger);

/// The last lines of a node's log after its path; without an id, the log of every node that has
/// one, with its last line.
std::string study_logs(const std::filesystem::path& dir, const std::string& id);

}  // namespace limbeck
