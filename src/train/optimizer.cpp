#include "limbeck/train/optimizer.h"

#include <torch/types.h>

#include <cmath>
#include <numbers>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

double schedule_factor(const ScheduleOptions& options, int64_t step, int64_t steps) {
  if (step < options.warmup_steps) {
    return static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  }
  const auto falling = static_cast<double>(std::max<int64_t>(steps - options.warmup_steps, 1));
  const double progress = std::min(1.0, static_cast<double>(step - options.warmup_steps) / falling);
  return options.final_ratio +
         (1 - options.final_ratio) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

AdamW::AdamW(const OptimizerOptions& options,
             const std::map<std::string, torch::nn::Module*>& modules)
    : options_(options) {
  groups_.push_back({options.weight_decay, {}, {}, {}, {}, {}});
  groups_.push_back({0.0, {}, {}, {}, {}, {}});
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_parameters()) {
      const at::Tensor& parameter = item.value();
      Group& group = groups_[parameter.dim() >= 2 ? 0 : 1];
      group.names.push_back(prefix + "." + item.key());
      group.parameters.push_back(parameter);
      group.averages.push_back(at::zeros_like(parameter.detach()));
      group.squares.push_back(at::zeros_like(parameter.detach()));
      group.steps.push_back(
          torch::zeros({}, parameter.options().dtype(torch::kFloat).requires_grad(false)));
    }
  }
  std::erase_if(groups_, [](const Group& group) { return group.names.empty(); });
}

void AdamW::zero_grad() {
  for (Group& group : groups_) {
    for (at::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

AdamW::Group AdamW::with_gradient(const Group& group) const {
  Group reached{group.weight_decay, {}, {}, {}, {}, {}};
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    if (!group.parameters[i].grad().defined()) continue;
    reached.parameters.push_back(group.parameters[i]);
    reached.averages.push_back(group.averages[i]);
    reached.squares.push_back(group.squares[i]);
    reached.steps.push_back(group.steps[i]);
  }
  return reached;
}

at::Tensor AdamW::step(double factor) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  std::vector<Group> groups;
  std::vector<std::vector<at::Tensor>> group_gradients;
  for (const Group& group : groups_) {
    Group reached = with_gradient(group);
    if (reached.parameters.empty()) continue;
    auto& gradients = group_gradients.emplace_back();
    for (const at::Tensor& parameter : reached.parameters) gradients.push_back(parameter.grad());
    for (const at::Tensor& norm : at::_foreach_norm(gradients, 2)) norms.push_back(norm);
    groups.push_back(std::move(reached));
  }
  TORCH_CHECK(!norms.empty(), "AdamW: no parameter has a gradient");
  const auto norm = at::linalg_vector_norm(at::stack(norms), 2);
  const auto scale = (options_.clip_norm / (norm + 1e-12)).clamp_max(1);
  for (size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    at::_foreach_mul_(group_gradients[g], scale);
    at::_foreach_add_(group.steps, 1);
    at::_fused_adamw_(group.parameters, group_gradients[g], group.averages, group.squares, {},
                      group.steps, options_.lr * factor, options_.beta1, options_.beta2,
                      group.weight_decay, options_.epsilon, false, false);
  }
  return norm;
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> state;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      state[group.names[i] + "/average"] = group.averages[i];
      state[group.names[i] + "/square"] = group.squares[i];
      state[group.names[i] + "/steps"] = group.steps[i];
    }
  }
  return state;
}

void AdamW::load_state(const std::map<std::string, at::Tensor>& state, const std::string& source) {
  at::NoGradGuard no_grad;
  auto own = this->state();
  if (own.size() != state.size()) {
    throw CheckpointError(
        format("%s: optimizer state of %d tensors, expected %d", source, state.size(), own.size()));
  }
  for (auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) throw CheckpointError(source + ": " + name + ": missing in the file");
    if (found->second.sizes() != tensor.sizes()) {
      std::ostringstream text;
      text << source << ": " << name << ": " << found->second.sizes() << " in the file, "
           << tensor.sizes() << " in the network";
      throw CheckpointError(text.str());
    }
    tensor.copy_(found->second);
  }
}

}  // namespace limbeck
