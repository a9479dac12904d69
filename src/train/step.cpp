#include "limbeck/train/step.h"

#include <torch/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "limbeck/train/step_timer.h"
#include "train/clip.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace limbeck {

objective::TaskBatch to_device(const Batch& batch, const at::Device& device) {
  const auto move = [&](const std::vector<float>& values) {
    // from_blob does not own the memory, so the copy happens here.
    auto host = at::from_blob(const_cast<float*>(values.data()), {batch.size, batch.samples},
                              torch::kFloat);
    return device.is_cpu() ? host.clone() : host.to(device);
  };
  return {move(batch.noisy), move(batch.clean), batch.valid_samples};
}

namespace {

constexpr const char* kModel = "model";
constexpr std::string_view kHelpers = "helpers.";

/// The network, and what trains beside it, term by term.
std::map<std::string, torch::nn::Module*> modules(objective::LearningTask& task) {
  std::map<std::string, torch::nn::Module*> all = {{kModel, &task.model()}};
  for (const auto& item : task.helpers().named_children()) {
    all[std::string(kHelpers) + item.key()] = item.value().get();
  }
  return all;
}

std::string norm_name(const std::string& module) {
  return module == kModel ? "gradient_norm" : "gradient_norm_" + module.substr(kHelpers.size());
}

template <class Registry, class... Arguments>
auto build(const Registry& registry, const config::Chosen& chosen, const Arguments&... arguments) {
  return registry.build(chosen.name(), *chosen, arguments...);
}

}  // namespace

TrainStep::TrainStep(const TrainOptions& options, objective::LearningTask& task,
                     std::vector<Extension> extensions)
    : task_(task),
      plan_(options.steps, std::move(extensions)),
      optimizer_(build(optimizers(), options.optimizer.chosen, trained_parameters(modules(task)))),
      schedule_(build(schedules(), options.schedule.chosen)),
      clip_(build(clips(), options.clip.chosen)) {}

TrainStep::~TrainStep() = default;

StepReport TrainStep::operator()(objective::TaskBatch batch, int64_t step, StepTimer* timer) {
  const auto over = [&](StepPart part) {
    if (timer) timer->end(part);
  };
  batch.step = step;
  task_.model().train();
  task_.helpers().train();
  optimizer_->zero_grad();
  StepReport report;
  report.losses = task_.forward(batch);
  over(StepPart::forward);
  report.losses.total.backward();
  report.losses.total = report.losses.total.detach();
  over(StepPart::backward);

  at::NoGradGuard no_grad;
  const auto gradients = optimizer_->gradients();
  TORCH_CHECK(gradients.count(kModel), "TrainStep: no parameter of the network has a gradient");
  for (const auto& [module, of_module] : gradients) {
    const auto norm = joint_norm(of_module);
    clip_->apply(of_module, norm);
    report.gradient_norms.push_back({norm_name(module), norm});
  }
  if (step > 0 && step == task_.stretch(step, plan_.steps_at(step)).first_step)
    optimizer_->reset_state();
  report.lr = lr(step);
  optimizer_->step(report.lr);
  over(StepPart::update);
  return report;
}

double TrainStep::lr(int64_t step) const {
  const auto [first_step, steps] = task_.stretch(step, plan_.steps_at(step));
  return optimizer_->peak_lr() * schedule_->factor(step - first_step, steps);
}

}  // namespace limbeck
