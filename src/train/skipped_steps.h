#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>

#include "limbeck/core/log.h"
#include "limbeck/data/batch.h"
#include "limbeck/run/run_dir.h"
#include "limbeck/train/config.h"
#include "train/step_log.h"

namespace limbeck {

constexpr int64_t kSkipWindow = 1000;  // steps of which a share may be skipped
constexpr int64_t kSkipLeast = 100;    // steps before that share is looked at

/// The steps of a training that changed nothing, because their loss or gradient was not finite.
class SkippedSteps {
 public:
  /// Of a training of `steps`.
  SkippedSteps(const SkipLimits& limits, int64_t steps) : limits_(limits), steps_(steps) {}

  /// Of the steps, which count from 1, one after the other.
  void add(int64_t step, bool skipped);
  /// The same, and where the step was skipped writes what is known of it to `run`, and says so now
  /// and then. Throws DivergenceError where training must end.
  void note(const StepValues& step, RunDir& run, Logger& logger);
  int64_t total() const { return total_; }
  /// Why training must end, as "20 steps in a row were skipped, …"; empty if it need not.
  std::string too_many() const;

  /// For a checkpoint.
  nlohmann::json state() const;
  /// As it was after step `step`. Throws nlohmann::json::exception.
  void load_state(const nlohmann::json& state, int64_t step);

 private:
  int64_t in_a_row() const;

  SkipLimits limits_;
  int64_t steps_;
  int64_t step_ = 0;
  int64_t total_ = 0;
  std::deque<int64_t> recent_;  // those within the window
};

/// Of each example in the batches where it came from, and of what it was made.
nlohmann::json examples_json(const std::vector<Batch>& batches);

/// What is known of a step that was skipped for a `cause`, as JSON, with `examples_json`.
std::string skipped_text(int64_t step, const std::string& cause, const std::vector<Batch>& batches);

}  // namespace limbeck
