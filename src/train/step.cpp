#include "limbeck/train/step.h"

#include <torch/types.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "limbeck/nn/device.h"
#include "limbeck/train/step_timer.h"
#include "train/clip.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace limbeck {

objective::TaskBatch to_device(const Batch& batch, const at::Device& device) {
  const auto on_host = [&](const std::vector<float>& values) {
    auto host = at::empty({batch.size, batch.samples}, nn::host_memory(device));
    std::copy(values.begin(), values.end(), host.data_ptr<float>());
    return host;
  };
  const auto noisy = on_host(batch.noisy);
  return {.noisy = noisy.to(device, /*non_blocking=*/true),
          .clean = on_host(batch.clean).to(device, /*non_blocking=*/true),
          .valid_samples = batch.valid_samples,
          .noisy_on_host = noisy};
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
