#include "limbeck/train/step.h"

#include <torch/types.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/train/step_timer.h"
#include "train/clip.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/weight_average.h"

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

std::vector<objective::TaskBatch> to_device(const std::vector<Batch>& batches,
                                            const at::Device& device) {
  std::vector<objective::TaskBatch> all;
  for (const Batch& batch : batches) all.push_back(to_device(batch, device));
  return all;
}

namespace {

constexpr const char* kNetwork = "model";
constexpr std::string_view kHelperPrefix = "helpers.";

/// The network, and what trains beside it, term by term.
std::map<std::string, torch::nn::Module*> modules(objective::LearningTask& task) {
  std::map<std::string, torch::nn::Module*> all = {{kNetwork, &task.model()}};
  for (const auto& item : task.helpers().named_children()) {
    all[std::string(kHelperPrefix) + item.key()] = item.value().get();
  }
  return all;
}

std::string norm_name(const std::string& module) {
  return module == kNetwork ? "gradient_norm"
                            : "gradient_norm_" + module.substr(kHelperPrefix.size());
}

template <class Registry, class... Arguments>
auto build(const Registry& registry, const config::Chosen& chosen, const Arguments&... arguments) {
  return registry.build(chosen.name(), *chosen, arguments...);
}

std::vector<TrainedParameter> parameters_of(objective::LearningTask& task, double adapter_lr) {
  auto all = trained_parameters(modules(task));
  for (TrainedParameter& parameter : all) {
    if (parameter.module != kNetwork) parameter.lr_factor = adapter_lr;
  }
  return all;
}

objective::LossReport mean_of(std::vector<objective::LossReport> reports) {
  objective::LossReport mean = std::move(reports.front());
  if (reports.size() == 1) return mean;
  const auto count = static_cast<double>(reports.size());
  const auto average = [&](at::Tensor& first, const auto& of) {
    if (!first.defined()) return;
    std::vector<at::Tensor> all = {first};
    for (size_t i = 1; i < reports.size(); ++i) all.push_back(of(reports[i]));
    first = at::stack(all).sum(0) / count;
  };
  average(mean.total, [](const auto& report) { return report.total; });
  average(mean.denoising, [](const auto& report) { return report.denoising; });
  for (size_t p = 0; p < mean.parts.size(); ++p) {
    average(mean.parts[p].value, [p](const auto& report) { return report.parts[p].value; });
  }
  mean.estimate.reset();
  return mean;
}

/// 1 where one of these scalars is not finite, else 0; not read.
at::Tensor any_broken(const StepReport& report) {
  std::vector<at::Tensor> values = {report.losses.total.to(torch::kFloat)};
  for (const auto& norm : report.gradient_norms) values.push_back(norm.value.to(torch::kFloat));
  return at::isfinite(at::stack(values)).logical_not().any().to(torch::kFloat);
}

}  // namespace

/// What a forward pass changes: running statistics of norms, and the sums of a balance.
class TrainStep::Buffers {
 public:
  explicit Buffers(objective::LearningTask& task) {
    for (torch::nn::Module* module :
         {static_cast<torch::nn::Module*>(&task.model()), &task.helpers()}) {
      const auto state = nn::state_of(*module);
      for (const auto& item : module->named_buffers()) {
        if (!state.count(item.key())) continue;
        buffers_.push_back(item.value());
        sizes_.push_back(item.value().numel());
      }
    }
  }

  void keep() {
    if (!buffers_.empty()) kept_ = all();
  }

  /// Back to what was kept, where `skipped`.
  void restore(const at::Tensor& skipped) {
    if (buffers_.empty()) return;
    auto values = at::where(skipped > 0, kept_, all()).split_with_sizes(sizes_);
    for (size_t i = 0; i < buffers_.size(); ++i) values[i] = values[i].view(buffers_[i].sizes());
    at::_foreach_copy_(buffers_, values);
  }

 private:
  /// One after the other, in the widest of their types.
  at::Tensor all() const {
    std::vector<at::Tensor> flat;
    for (const at::Tensor& buffer : buffers_) flat.push_back(buffer.flatten());
    return at::cat(flat);
  }

  std::vector<at::Tensor> buffers_;
  std::vector<int64_t> sizes_;
  at::Tensor kept_;
};

TrainStep::TrainStep(const TrainOptions& options, objective::LearningTask& task,
                     std::vector<Extension> extensions)
    : task_(task),
      plan_(options.steps, std::move(extensions)),
      warmup_steps_(options.schedule.warmup_steps),
      optimizer_(
          build(optimizers(), options.optimizer.chosen, parameters_of(task, options.adapter_lr))),
      schedule_(build(schedules(), options.schedule.chosen)),
      clip_(build(clips(), options.clip.chosen)),
      buffers_(std::make_unique<Buffers>(task)) {
  if (options.ema.decay > 0) {
    average_ = std::make_unique<WeightAverage>(task.model(), options.ema.decay);
  }
}

TrainStep::~TrainStep() = default;

StepReport TrainStep::operator()(std::vector<objective::TaskBatch> batches, int64_t step,
                                 StepTimer* timer) {
  const auto over = [&](StepPart part) {
    if (timer) timer->end(part);
  };
  task_.model().train();
  task_.helpers().train();
  optimizer_->zero_grad();
  buffers_->keep();
  std::vector<objective::LossReport> losses;
  for (objective::TaskBatch& batch : batches) {
    batch.step = step;
    auto& loss = losses.emplace_back(task_.forward(batch));
    over(StepPart::forward);
    const auto count = static_cast<double>(batches.size());
    (batches.size() == 1 ? loss.total : loss.total / count).backward();
    loss.total = loss.total.detach();
    over(StepPart::backward);
  }

  at::NoGradGuard no_grad;
  StepReport report;
  report.losses = mean_of(std::move(losses));
  const auto gradients = optimizer_->gradients();
  TORCH_CHECK(gradients.count(kNetwork), "TrainStep: no parameter of the network has a gradient");
  for (const auto& [module, of_module] : gradients) {
    const auto norm = joint_norm(of_module);
    clip_->apply(of_module, norm);
    report.gradient_norms.push_back({norm_name(module), norm});
  }
  report.skipped = any_broken(report);
  if (step > 0 && step == task_.stretch(step, plan_.steps_at(step)).first_step) {
    optimizer_->reset_state();
    schedule_->reset();
  }
  report.lr = lr(step);
  optimizer_->step(report.lr, report.skipped);
  buffers_->restore(report.skipped);
  if (average_) average_->add(step);
  over(StepPart::update);
  return report;
}

double TrainStep::lr(int64_t step) const {
  const auto [first_step, steps] = task_.stretch(step, plan_.steps_at(step));
  return optimizer_->peak_lr() * lr_factor(*schedule_, warmup_steps_, step - first_step, steps);
}

}  // namespace limbeck
