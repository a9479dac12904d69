#pragma once

#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/core/progress.h"
#include "limbeck/study/plan.h"
#include "limbeck/study/study.h"
#include "study/node_config.h"
#include "study/pace.h"
#include "study/run_states.h"
#include "study/scheduler.h"
#include "study/state_file.h"

namespace limbeck {

/// How many nodes of a kind run at a time on such a machine.
int64_t at_a_time(const StudyOptions& study, const Machine& machine, NodeKind kind);

/// The nodes of a grid as tasks, each a process `limbeck-study node`; tells of what happens to them
/// in the log, on the progress line and in state.json.
class GridWork : public TaskWork {
 public:
  /// All must outlive it.
  GridWork(const StudyConfig& config, const StudyPlan& plan, const StudyRunOptions& options,
           const Machine& machine, RunStates& states, StateFile& file, Logger& logger);

  std::vector<Task> tasks() const;
  /// Ends the progress line.
  void finish();

  bool is_done(size_t task) override;
  Command command(size_t task, const std::string& device) override;
  Verdict judge(size_t task, int code, int attempts) override;
  void changed(size_t task, const TaskStatus& status) override;
  void poll() override;

 private:
  using Clock = std::chrono::steady_clock;
  /// A node that runs.
  struct Attempt {
    Clock::time_point begin;
    size_t log_begin = 0;
    int64_t first_step = 0;
  };

  /// By its id.
  bool is_named(const StudyNode& node) const;
  /// By its id, or with all others.
  bool is_retried(const StudyNode& node) const;
  std::string reason_of(size_t task, const TaskStatus& status) const;
  void tell(const StudyNode& node, const NodeRecord& record);
  bool is_stopping() const;
  void show();
  double planned(size_t task);
  double amount_done(size_t task) const;
  void end_attempt(size_t task, bool is_done);
  std::string counts() const;
  std::string time_left();

  const StudyConfig& config_;
  const StudyPlan& plan_;
  const StudyRunOptions& options_;
  RunStates& states_;
  Logger& logger_;
  StateFile& file_;
  PlannedSteps steps_;
  std::map<std::tuple<NodeKind, std::string, size_t, size_t, size_t>, double> planned_;
  StudyPace pace_;
  const Machine& machine_;
  std::vector<TaskStatus> status_;
  std::map<size_t, Attempt> running_;
  std::vector<double> seconds_;  ///< that attempts which have ended took
  Progress progress_;
  Clock::time_point polled_{};
};

}  // namespace limbeck
