#pragma once

#include <memory>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/objective/distill.h"
#include "limbeck/objective/objective.h"

namespace limbeck::objective {

/// One batch on the training device.
struct TaskBatch {
  at::Tensor noisy;                    ///< [B, L]
  at::Tensor clean;                    ///< [B, L]
  std::vector<int64_t> valid_samples;  ///< per item; the rest is padding
  int64_t step = 0;                    ///< of training, from 0; in validation, the last one trained
  /// `noisy` as it was on the CPU, for a cache of what the teacher says of it; undefined: unknown.
  at::Tensor noisy_on_host = {};

  bool padded() const;
};

class Balance;
class Teacher;
struct GradientNorms;
struct StepPlan;

/// Steps under one warm-up and one schedule: of all phases from one that restarts to the next.
struct Stretch {
  int64_t first_step = 0;
  int64_t steps = 0;
};

/// A term as it takes part in training.
struct ActiveTerm {
  std::string name;  ///< in logs
  double weight;
  std::shared_ptr<DistillTerm> term;
};

/// How strong a term was beside the denoising loss, over the student's parameters that both reach.
struct TermStrength {
  double factor = 1;     ///< λ of the last step
  double task_norm = 0;  ///< mean over steps of the norm of the denoising loss's gradient
  double term_norm = 0;  ///< the same of weight · λ · term
  int64_t steps = 0;     ///< how many, each of which trained both
};

/// What a batch is trained for: noisy in, clean out, and terms against a frozen teacher, which is
/// run without gradient, with its norms folded, and no further than the terms need. Without terms
/// this is supervised training: the teacher is not run at all, and neither is it in phases without
/// them.
class LearningTask {
 public:
  /// Adapters draw their weights from `key` and their names, so they cannot change the student.
  /// `teacher` may be null where there are no terms; it is taken over. `teacher_id` stands for its
  /// weights and options in a cache, and is needed for one only. `logger`, if there is one, is told
  /// what goes wrong with the cache.
  LearningTask(std::shared_ptr<nn::DenoisingModel> student,
               std::shared_ptr<nn::DenoisingModel> teacher, const ObjectiveConfig& objective,
               const DistillOptions& distill, int64_t batch_size, SeedKey key,
               const std::string& teacher_id = "", Logger* logger = nullptr);
  LossReport forward(const TaskBatch& batch);
  /// The network that comes out of training.
  nn::DenoisingModel& model() { return *student_; }
  /// What trains beside it and is dropped afterwards: adapters, and what `distill.balance`
  /// measured. Empty without terms.
  torch::nn::Module& helpers() { return helpers_; }

  /// The one that `step`, one of `steps`, belongs to.
  Stretch stretch(int64_t step, int64_t steps) const;
  const std::vector<ActiveTerm>& terms() const { return terms_; }
  /// Null where there are no terms.
  const Teacher* teacher() const { return teacher_.get(); }
  /// As DenoisingModel::watch, of the network, its teacher, and what trains beside it, which
  /// computes as the network does.
  void watch_kernels(nn::KernelUse* use);
  /// From now on every training step measures the gradients of all parts, too.
  void watch_strengths();
  /// Of each term, since `watch_strengths`.
  std::vector<TermStrength> strengths() const;

 private:
  void add_term(size_t index, const DistillTermConfig& config, const DistillContext& context);
  void add_terms(LossReport& report, const DistillInput& input, const StepPlan& step);
  void watch(const std::vector<GradientNorms>& norms, const StepPlan& step);

  std::shared_ptr<nn::DenoisingModel> student_;
  std::shared_ptr<Teacher> teacher_;
  Objective objective_;
  std::vector<PhaseOptions> phases_;
  torch::nn::Module helpers_;
  std::vector<ActiveTerm> terms_;
  std::vector<std::string> student_taps_;
  std::shared_ptr<Balance> balance_;
  nn::KernelUse* use_ = nullptr;
  bool watches_ = false;
  std::vector<TermStrength> watched_;  ///< with sums in place of means
};

}  // namespace limbeck::objective
