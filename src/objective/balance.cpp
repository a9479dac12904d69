#include "objective/balance.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <stdexcept>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::objective {
namespace {

/// One for each parameter; undefined where the loss does not reach it.
std::vector<at::Tensor> gradients(const at::Tensor& loss,
                                  const std::vector<at::Tensor>& parameters) {
  if (!loss.requires_grad()) return std::vector<at::Tensor>(parameters.size());
  return torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/true,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

at::Tensor joint_norm(const std::vector<at::Tensor>& all, const at::TensorOptions& options) {
  if (all.empty()) return torch::zeros({}, options);
  std::vector<at::Tensor> norms;
  for (const at::Tensor& norm : at::_foreach_norm(all, 2)) norms.push_back(norm.to(torch::kDouble));
  return at::linalg_vector_norm(at::stack(norms));
}

}  // namespace

std::vector<GradientNorms> gradient_norms(const at::Tensor& task,
                                          const std::vector<at::Tensor>& terms,
                                          const std::vector<at::Tensor>& parameters) {
  const auto options = task.options().dtype(torch::kDouble).requires_grad(false);
  const auto of_task = gradients(task, parameters);
  std::vector<GradientNorms> norms;
  for (const at::Tensor& term : terms) {
    const auto of_term = gradients(term, parameters);
    std::vector<at::Tensor> shared_task, shared_term;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (!of_task[i].defined() || !of_term[i].defined()) continue;
      shared_task.push_back(of_task[i]);
      shared_term.push_back(of_term[i]);
    }
    norms.push_back({joint_norm(shared_task, options), joint_norm(shared_term, options)});
  }
  return norms;
}

Balance::Balance(const BalanceOptions& options, std::vector<std::string> terms)
    : options_(options), terms_(std::move(terms)) {
  if (options.mode != "gradient_ratio" || terms_.empty()) return;
  const auto count = static_cast<int64_t>(terms_.size());
  task_norms_ = register_buffer("task_norms", torch::zeros({count}, torch::kDouble));
  term_norms_ = register_buffer("term_norms", torch::zeros({count}, torch::kDouble));
}

bool Balance::calibrates(const StepPlan& step) const {
  return by_gradient() && step.joint() && step.joint_step < options_.steps;
}

void Balance::add(const std::vector<GradientNorms>& norms) {
  if (!by_gradient() || norms.size() != terms_.size()) throw std::logic_error("Balance::add");
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> task, term;
  for (const auto& of_term : norms) {
    task.push_back(of_term.task);
    term.push_back(of_term.term);
  }
  task_norms_.add_(at::stack(task));
  term_norms_.add_(at::stack(term));
}

at::Tensor Balance::factor(size_t term, const StepPlan& step, const at::Device& device) const {
  if (!step.joint()) return {};
  if (options_.mode == "warmup" && step.joint_step < options_.steps) {
    return at::full({},
                    static_cast<double>(step.joint_step + 1) / static_cast<double>(options_.steps),
                    at::TensorOptions(torch::kDouble).device(device));
  }
  if (!by_gradient()) return {};
  const auto index = static_cast<int64_t>(term);
  const auto task_norm = task_norms_.select(0, index);
  const auto term_norm = term_norms_.select(0, index);
  // Before a term has any gradient there is none to scale.
  return at::where(term_norm > 0, options_.target * task_norm / term_norm,
                   at::zeros_like(task_norm));
}

void Balance::require_gradients(const StepPlan& step) const {
  if (!by_gradient() || !step.joint() || step.joint_step != options_.steps) return;
  const auto norms = term_norms_.cpu();
  for (size_t i = 0; i < terms_.size(); ++i) {
    if (norms.const_data_ptr<double>()[i] > 0) continue;
    throw ConfigError(format(
        "distill.balance: %s gave the student no gradient in the first %d steps, so there is no "
        "ratio to set its weight by; leave the term out, or use balance: {mode: constant}",
        terms_[i], options_.steps));
  }
}

}  // namespace limbeck::objective
