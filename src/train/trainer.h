#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

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
#include "train/validator.h"

namespace limbeck {

/// Where training stands; written into every checkpoint.
struct TrainState {
  int64_t step = 0;
  int64_t best_step = -1;
  double best_value = -std::numeric_limits<double>::infinity();  ///< higher is better
  double seconds = 0;  ///< spent in training, all sittings together
};

/// The training loop: load, step, log, save, validate. What was trained is saved before it is
/// validated, so that nothing that goes wrong there costs more than the validation.
class Trainer {
 public:
  /// All references must outlive the trainer.
  struct Parts {
    objective::LearningTask& task;
    const Dataset& train;
    const ValidationSet& valid;
    LoaderOptions loader;
    RunDir& run;
    Logger& logger;
    std::vector<Extension> extensions = {};
  };
  Trainer(const TrainOptions& options, const Parts& parts, SeedKey key, at::Device device);

  /// Trains to the end, from the last checkpoint if there is one. Throws DivergenceError,
  /// Interrupted (after saving), DataError, CheckpointError.
  TrainState run();
  /// Also after an error.
  const TrainState& state() const { return state_; }

 private:
  /// What a step gave, not read yet: reading waits for the device.
  struct Pending {
    int64_t step;
    std::vector<std::string> names;
    at::Tensor values;  ///< [parts] on the device
    double lr;
  };

  RunView::Found find_checkpoint();
  bool resume();
  void train();
  void tell_extension() const;
  bool is_due() const;
  bool is_save_due() const;
  Batch next_batch(Loader& loader);
  StepReport train_on(const Batch& batch);
  void save();
  void keep(const StepReport& report);
  std::string log_pending();
  void validate();
  [[noreturn]] void stop_interrupted();

  TrainOptions options_;
  StepPlan plan_;
  Parts parts_;
  SeedKey key_;
  at::Device device_;
  TrainStep step_;
  Validator validator_;
  Saver saver_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  bool told_kernels_ = false;
  TrainState state_;
  std::vector<Pending> pending_;
};

}  // namespace limbeck
