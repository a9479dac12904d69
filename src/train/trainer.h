#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <string>

#include "limbeck/core/log.h"
#include "limbeck/core/random.h"
#include "limbeck/data/dataset.h"
#include "limbeck/data/loader.h"
#include "limbeck/data/validation.h"
#include "limbeck/objective/task.h"
#include "limbeck/run/run_dir.h"
#include "limbeck/run/run_view.h"
#include "limbeck/run/saver.h"
#include "limbeck/train/step.h"
#include "train/pace.h"
#include "train/skipped_steps.h"
#include "train/step_log.h"
#include "train/train_state.h"
#include "train/training_events.h"
#include "train/validator.h"

namespace limbeck {

/// The training loop: load, step, log, save, validate. What was trained is saved before it is
/// validated, so that nothing that goes wrong there costs more than the validation.
///
/// With `validation.background`, scores are taken before the next checkpoint is written, or at the
/// end: so every checkpoint holds what all earlier validations have found, and a process that dies
/// before that finds its last one not validated, and repeats that. They change the training (by
/// early stop) from the next validation on, however fast they come.
class Trainer {
 public:
  /// All references must outlive the trainer.
  struct Parts {
    objective::LearningTask& task;
    const Dataset& train;
    const std::vector<NamedValidationSet>& valid;
    LoaderOptions loader;
    RunDir& run;
    Logger& logger;
    config::Node config = {};  ///< of the whole run, to be shown
    std::vector<Extension> extensions = {};
  };
  Trainer(const TrainOptions& options, const Parts& parts, SeedKey key, at::Device device);

  /// Trains to the end, from the last checkpoint if there is one. Throws DivergenceError,
  /// Interrupted (after saving), DataError, CheckpointError.
  TrainState run();
  /// Also after an error.
  const TrainState& state() const { return state_; }

 private:
  RunView::Found find_checkpoint();
  bool resume();
  void train();
  void tell_end(const Loader& loader, int64_t steps, double seconds) const;
  void begin_extension();
  bool is_due() const;
  int64_t last_step() const;
  bool is_save_due() const;
  std::vector<Batch> next_batches(Loader& loader);
  StepReport train_on(const std::vector<Batch>& batches);
  void save();
  void log_pending();
  void tell(const nlohmann::json& line);
  double epoch(int64_t step) const;
  void validate();
  void take_scores(bool in_any_case);
  void act();
  nlohmann::json found();
  bool is_repeated(const nlohmann::json& validation) const;
  void take_found(const nlohmann::json& found);
  [[noreturn]] void stop_interrupted();

  TrainOptions options_;
  LengthPlan plan_;
  Parts parts_;
  SeedKey key_;
  at::Device device_;
  TrainStep step_;
  Criterion criterion_;
  Validator validator_;
  Saver saver_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  bool told_kernels_ = false;
  TrainState state_;
  TrainingEvents events_;
  SkippedSteps skipped_;
  PendingSteps pending_;
  StepSums sums_;
  Pace pace_;
  bool told_line_ = false;  ///< of metrics.jsonl, in this sitting
  std::string details_;     ///< of the newest line, for the terminal
};

}  // namespace limbeck
