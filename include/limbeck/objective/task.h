#pragma once

#include <memory>
#include <vector>

#include "limbeck/objective/distill.h"
#include "limbeck/objective/objective.h"

namespace limbeck::objective {

/// One batch on the training device.
struct TaskBatch {
  at::Tensor noisy;                    ///< [B, L]
  at::Tensor clean;                    ///< [B, L]
  std::vector<int64_t> valid_samples;  ///< per item; the rest is padding

  bool padded() const;
};

/// What a batch is trained for.
class LearningTask {
 public:
  virtual ~LearningTask() = default;
  virtual LossReport forward(const TaskBatch& batch) = 0;
  /// The network that comes out of training.
  virtual nn::DenoisingModel& model() = 0;
  /// What trains beside it and is dropped afterwards (adapters); may have no parameters.
  virtual torch::nn::Module& helpers() = 0;
};

/// Noisy in, clean out.
class SupervisedTask : public LearningTask {
 public:
  SupervisedTask(std::shared_ptr<nn::DenoisingModel> model, const ObjectiveConfig& objective);
  LossReport forward(const TaskBatch& batch) override;
  nn::DenoisingModel& model() override { return *model_; }
  torch::nn::Module& helpers() override { return helpers_; }

 private:
  std::shared_ptr<nn::DenoisingModel> model_;
  Objective objective_;
  torch::nn::Module helpers_;
};

/// The supervised task, and terms against a frozen teacher: eval mode, no gradient. Without terms
/// the teacher is not run at all.
class DistillTask : public LearningTask {
 public:
  /// Adapters draw their weights from `key` and their names, so they cannot change the student.
  /// `teacher` may be null where there are no terms.
  DistillTask(std::shared_ptr<nn::DenoisingModel> student,
              std::shared_ptr<nn::DenoisingModel> teacher, const ObjectiveConfig& objective,
              const DistillOptions& distill, int64_t batch_size, SeedKey key);
  LossReport forward(const TaskBatch& batch) override;
  nn::DenoisingModel& model() override { return *student_; }
  torch::nn::Module& helpers() override { return helpers_; }

 private:
  struct Term {
    std::string name;
    double weight;
    std::shared_ptr<DistillTerm> term;
  };
  std::shared_ptr<nn::DenoisingModel> student_;
  std::shared_ptr<nn::DenoisingModel> teacher_;
  Objective objective_;
  torch::nn::Module helpers_;
  std::vector<Term> terms_;
  std::vector<std::string> student_taps_;
  std::vector<std::string> teacher_taps_;
  bool needs_teacher_estimate_ = false;
};

}  // namespace limbeck::objective
