#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "limbeck/data/batch.h"
#include "limbeck/objective/task.h"
#include "limbeck/run/length_plan.h"
#include "limbeck/train/config.h"

namespace limbeck {

class Clip;
class Optimizer;
class Schedule;
class StepTimer;
class WeightAverage;

/// A batch on the device.
objective::TaskBatch to_device(const Batch& batch, const at::Device& device);
std::vector<objective::TaskBatch> to_device(const std::vector<Batch>& batches,
                                            const at::Device& device);

/// What a step gave. Its tensors stay on the device and are detached.
struct StepReport {
  objective::LossReport losses;  ///< means over the batches; no estimate where there are several
  /// Before clipping: "gradient_norm" of the network, "gradient_norm_<term>" of what trains beside
  /// it for a term. Each module is clipped by itself, so that no arm's adapter slows its network.
  std::vector<objective::LossPart> gradient_norms;
  /// Scalar in float: 1 where the loss or a gradient was not finite, so that the step changed
  /// nothing (parameters, what the optimizer remembers, buffers), else 0.
  at::Tensor skipped;
  double lr = 0;
};

/// A step of training, whoever trains: zero, forward, backward, clip, update.
class TrainStep {
 public:
  /// Trains the task's network and helpers, and must not outlive it. Lengths in `options` are in
  /// steps (`in_steps`).
  TrainStep(const TrainOptions& options, objective::LearningTask& task,
            std::vector<Extension> extensions = {});
  ~TrainStep();

  /// Trains on `batches`, all of one size, as step `step`, from 0: on the mean of their losses, of
  /// which one after the other is computed. The batches' own step is of no account. `timer`, if
  /// there is one, is told when each part is over.
  StepReport operator()(std::vector<objective::TaskBatch> batches, int64_t step,
                        StepTimer* timer = nullptr);

  /// The learning rate of step `step`, by what its schedule has learned so far.
  double lr(int64_t step) const;
  Optimizer& optimizer() { return *optimizer_; }
  Schedule& schedule() { return *schedule_; }
  /// Null without one (train.ema.decay: 0).
  WeightAverage* average() { return average_.get(); }

 private:
  class Buffers;

  objective::LearningTask& task_;
  LengthPlan plan_;
  int64_t warmup_steps_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<Clip> clip_;
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<WeightAverage> average_;
};

}  // namespace limbeck
