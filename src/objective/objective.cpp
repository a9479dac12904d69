#include "limbeck/objective/objective.h"

#include <torch/types.h>

namespace limbeck::objective {

void LossReport::add(const std::string& name, double weight, const at::Tensor& value,
                     const at::Tensor& factor) {
  parts.push_back({name, value.detach()});
  auto weighted = weight * value;
  if (factor.defined()) weighted = weighted * factor.to(value.options());
  total = total.defined() ? total + weighted : weighted;
}

Objective::Objective(const ObjectiveConfig& config) {
  for (const LossConfig& loss : config.losses) {
    const std::string& name = loss.chosen.name();
    std::shared_ptr<Loss> built = losses().build(name, *loss.chosen);
    parts_.push_back({name, loss.weight, register_module(name, built)});
  }
}

void Objective::add_to(LossReport& report, const LossInput& input) {
  for (const Part& part : parts_) report.add(part.name, part.weight, part.loss->forward(input));
}

}  // namespace limbeck::objective
