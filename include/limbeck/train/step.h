#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "limbeck/data/batch.h"
#include "limbeck/objective/task.h"
#include "limbeck/run/step_plan.h"
#include "limbeck/train/config.h"

namespace limbeck {

class Clip;
class Optimizer;
class Schedule;
class StepTimer;

/// A batch on the device.
objective::TaskBatch to_device(const Batch& batch, const at::Device& device);

/// What a step gave. Its tensors stay on the device and are detached.
struct StepReport {
  objective::LossReport losses;
  /// Before clipping: "gradient_norm" of the network, "gradient_norm_<term>" of what trains beside
  /// it for a term. Each module is clipped by itself, so that no arm's adapter slows its network.
  std::vector<objective::LossPart> gradient_norms;
  double lr = 0;
};

/// A step of training, whoever trains: zero, forward, backward, clip, update.
class TrainStep {
 public:
  /// Trains the task's network and helpers, and must not outlive it.
  TrainStep(const TrainOptions& options, objective::LearningTask& task,
            std::vector<Extension> extensions = {});
  ~TrainStep();

  /// Trains on `batch` as step `step`, from 0. The batch's own step is of no account. `timer`, if
  /// there is one, is told when each part is over.
  StepReport operator()(objective::TaskBatch batch, int64_t step, StepTimer* timer = nullptr);

  /// The learning rate of step `step`.
  double lr(int64_t step) const;
  Optimizer& optimizer() { return *optimizer_; }

 private:
  objective::LearningTask& task_;
  StepPlan plan_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<Clip> clip_;
};

}  // namespace limbeck
