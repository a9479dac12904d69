#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "limbeck/objective/config.h"
#include "objective/phases.h"

namespace limbeck::objective {

/// Norms of two gradients over the parameters that both losses reach; scalars in double, on the
/// device.
struct GradientNorms {
  at::Tensor task;
  at::Tensor term;
};

/// The graphs of both losses are kept. A parameter is reached by a loss if the loss's graph leads
/// to it, whatever the gradient there.
std::vector<GradientNorms> gradient_norms(const at::Tensor& task,
                                          const std::vector<at::Tensor>& terms,
                                          const std::vector<at::Tensor>& parameters);

/// The factors λ that the terms get besides their weights. With gradient_ratio,
///
///     λ = target · Σ ‖∇ task‖ / Σ ‖∇ term‖
///
/// over the first `steps` steps that train both, this step included while it is one of them. The
/// sums are buffers, so that a checkpoint holds them, and stay on the device. Steps that train the
/// terms alone have λ = 1: there is nothing to hold them against.
class Balance : public torch::nn::Module {
 public:
  Balance(const BalanceOptions& options, std::vector<std::string> terms);

  /// This step's gradients belong into the sums.
  bool calibrates(const StepPlan& step) const;
  /// Of all terms, of one step. Throws std::logic_error unless `calibrates`.
  void add(const std::vector<GradientNorms>& norms);
  /// λ of a term, a scalar in double on `device`; undefined: 1.
  at::Tensor factor(size_t term, const StepPlan& step, const at::Device& device) const;
  /// Throws ConfigError, in the first step after calibration, if a term never had a gradient. This
  /// is the one step in which a GPU is waited for.
  void require_gradients(const StepPlan& step) const;

 private:
  bool by_gradient() const { return task_norms_.defined(); }

  BalanceOptions options_;
  std::vector<std::string> terms_;
  at::Tensor task_norms_, term_norms_;  // [terms], sums over steps
};

}  // namespace limbeck::objective
