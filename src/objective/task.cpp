#include "limbeck/objective/task.h"

#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/initialize.h"

namespace limbeck::objective {
namespace {

/// [B, size], 1 before lengths[b].
at::Tensor length_mask(const std::vector<int64_t>& lengths, int64_t size, const at::Tensor& like) {
  const auto ends =
      torch::tensor(lengths, torch::kLong).to(like.device(), true).unsqueeze(1);  // [B, 1]
  const auto positions = at::arange(size, ends.options()).unsqueeze(0);           // [1, size]
  return (positions < ends).to(like.dtype());
}

LossInput loss_input(const at::Tensor& estimate, const TaskBatch& batch) {
  LossInput input{estimate, batch.clean, {}};
  if (batch.padded()) input.mask = length_mask(batch.valid_samples, estimate.size(1), estimate);
  return input;
}

void add_unique(std::vector<std::string>& all, const std::vector<std::string>& some) {
  for (const auto& name : some) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
}

}  // namespace

bool TaskBatch::padded() const {
  return std::any_of(valid_samples.begin(), valid_samples.end(),
                     [&](int64_t valid) { return valid < noisy.size(1); });
}

SupervisedTask::SupervisedTask(std::shared_ptr<nn::DenoisingModel> model,
                               const ObjectiveConfig& objective)
    : model_(std::move(model)), objective_(objective) {
  objective_.to(model_->parameters().front().device());
}

LossReport SupervisedTask::forward(const TaskBatch& batch) {
  LossReport report;
  const auto estimate = model_->forward(batch.noisy, {}).estimate;
  report.estimate = estimate.detach();
  objective_.add_to(report, loss_input(estimate, batch));
  return report;
}

DistillTask::DistillTask(std::shared_ptr<nn::DenoisingModel> student,
                         std::shared_ptr<nn::DenoisingModel> teacher,
                         const ObjectiveConfig& objective, const DistillOptions& distill,
                         int64_t batch_size, SeedKey key)
    : student_(std::move(student)), teacher_(std::move(teacher)), objective_(objective) {
  if (distill.terms.empty()) teacher_ = nullptr;
  if (teacher_ && student_->rate_hz() != teacher_->rate_hz()) {
    throw ConfigError(format("the student works at %lld Hz, the teacher at %lld Hz",
                             static_cast<long long>(student_->rate_hz()),
                             static_cast<long long>(teacher_->rate_hz())));
  }
  const auto device = student_->parameters().front().device();
  for (size_t i = 0; i < distill.terms.size(); ++i) {
    const DistillTermConfig& config = distill.terms[i];
    std::shared_ptr<DistillTerm> term;
    TORCH_CHECK(teacher_, "DistillTask: terms without a teacher");
    try {
      term = distill_terms().build(config.chosen.name(), *config.chosen,
                                   DistillContext{*student_, *teacher_, objective, batch_size});
    } catch (const ConfigError& e) {
      throw ConfigError(format("distill.terms.%zu (%s): ", i, config.chosen.name().c_str()) +
                        e.what());
    }
    std::string name = config.chosen.name();
    for (const Term& other : terms_) {
      if (other.name == name) name = format("%s_%zu", config.chosen.name().c_str(), i);
    }
    add_unique(student_taps_, term->student_taps());
    add_unique(teacher_taps_, term->teacher_taps());
    needs_teacher_estimate_ = needs_teacher_estimate_ || term->needs_teacher_estimate();
    terms_.push_back({name, config.weight, helpers_.register_module(name, term)});
  }
  nn::initialize(helpers_, key.with("weights"));
  helpers_.to(device);
  objective_.to(device);
  if (!teacher_) return;
  teacher_->to(device);
  teacher_->eval();
  for (auto& parameter : teacher_->parameters()) parameter.set_requires_grad(false);
}

LossReport DistillTask::forward(const TaskBatch& batch) {
  LossReport report;
  const auto denoised = student_->forward(batch.noisy, student_taps_);
  report.estimate = denoised.estimate.detach();
  const LossInput supervised = loss_input(denoised.estimate, batch);
  objective_.add_to(report, supervised);
  if (terms_.empty()) return report;

  nn::Denoised teacher;
  {
    at::NoGradGuard no_grad;
    if (needs_teacher_estimate_) {
      teacher = teacher_->forward(batch.noisy, teacher_taps_);
    } else {
      teacher.taps = teacher_->taps(batch.noisy, teacher_taps_);
    }
  }
  std::vector<int64_t> frames;
  for (const int64_t samples : batch.valid_samples) frames.push_back(student_->tap_frames(samples));
  const auto mask = length_mask(frames, student_->tap_frames(batch.noisy.size(1)), batch.noisy);
  const DistillInput input{denoised.taps,    teacher.taps, mask,           denoised.estimate,
                           teacher.estimate, batch.clean,  supervised.mask};
  for (const Term& term : terms_) report.add(term.name, term.weight, term.term->forward(input));
  return report;
}

}  // namespace limbeck::objective
