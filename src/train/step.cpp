#include "limbeck/train/step.h"

#include <torch/types.h>

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

template <class Registry, class... Arguments>
auto build(const Registry& registry, const config::Chosen& chosen, const Arguments&... arguments) {
  return registry.build(chosen.name(), *chosen, arguments...);
}

}  // namespace

TrainStep::TrainStep(const TrainOptions& options, objective::LearningTask& task)
    : task_(task),
      steps_(options.steps),
      optimizer_(
          build(optimizers(), options.optimizer.chosen,
                trained_parameters({{"model", &task.model()}, {"helpers", &task.helpers()}}))),
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
  TORCH_CHECK(!gradients.empty(), "TrainStep: no parameter has a gradient");
  report.gradient_norm = joint_norm(gradients);
  clip_->apply(gradients, report.gradient_norm);
  report.lr = optimizer_->peak_lr() * schedule_->factor(step, steps_);
  optimizer_->step(report.lr);
  over(StepPart::update);
  return report;
}

}  // namespace limbeck
