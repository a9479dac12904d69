#include "train/optimizer.h"

#include <torch/types.h>

#include <algorithm>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

std::vector<TrainedParameter> trained_parameters(
    const std::map<std::string, torch::nn::Module*>& modules) {
  std::vector<TrainedParameter> all;
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_parameters()) {
      all.push_back({prefix, prefix + "." + item.key(), item.value()});
    }
  }
  std::stable_partition(all.begin(), all.end(), [](const auto& p) { return p.decays(); });
  return all;
}

Optimizer::Optimizer(double lr, std::vector<TrainedParameter> parameters)
    : lr_(lr), parameters_(std::move(parameters)) {}

void Optimizer::zero_grad() {
  for (const auto& parameter : parameters_) parameter.value.mutable_grad().reset();
}

std::map<std::string, std::vector<at::Tensor>> Optimizer::gradients() const {
  std::map<std::string, std::vector<at::Tensor>> all;
  for (const auto& parameter : parameters_) {
    const auto& gradient = parameter.value.grad();
    if (gradient.defined()) all[parameter.module].push_back(gradient);
  }
  return all;
}

void Optimizer::add_state(const std::string& what) {
  auto& tensors = state_[what];
  for (const auto& parameter : parameters_) {
    tensors.push_back(at::zeros_like(parameter.value.detach()));
  }
}

void Optimizer::add_scalar_state(const std::string& what) {
  auto& tensors = state_[what];
  for (const auto& parameter : parameters_) {
    tensors.push_back(
        torch::zeros({}, parameter.value.options().dtype(torch::kFloat).requires_grad(false)));
  }
}

void Optimizer::step(double lr, const at::Tensor& skipped) {
  at::NoGradGuard no_grad;
  for (const Group& group : groups()) {
    const auto& like = group.parameters.front();
    update(group, lr * group.lr_factor,
           skipped.defined() ? skipped : torch::zeros({}, like.options().dtype(torch::kFloat)));
  }
}

std::vector<Optimizer::Group> Optimizer::groups() const {
  std::vector<Group> groups;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const TrainedParameter& parameter = parameters_[i];
    const at::Tensor& value = parameter.value;
    if (!value.grad().defined()) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return g.decays == parameter.decays() && g.lr_factor == parameter.lr_factor;
    });
    if (group == groups.end()) {
      group = groups.insert(group, Group{parameter.decays(), parameter.lr_factor, {}, {}, {}});
    }
    group->parameters.push_back(value);
    group->gradients.push_back(value.grad());
    for (const auto& [what, tensors] : state_) group->state[what].push_back(tensors[i]);
  }
  return groups;
}

void Optimizer::reset_state() {
  for (auto& [name, tensor] : state()) tensor.zero_();
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> state;
  for (const auto& [what, tensors] : state_) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      state[parameters_[i].name + "/" + what] = tensors[i];
    }
  }
  return state;
}

void Optimizer::load_state(const std::map<std::string, at::Tensor>& state,
                           const std::string& source) {
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
