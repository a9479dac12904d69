#include "limbeck/objective/task.h"

#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/initialize.h"
#include "limbeck/objective/teacher.h"
#include "objective/balance.h"
#include "objective/phases.h"

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

LearningTask::LearningTask(std::shared_ptr<nn::DenoisingModel> student,
                           std::shared_ptr<nn::DenoisingModel> teacher,
                           const ObjectiveConfig& objective, const DistillOptions& distill,
                           int64_t batch_size, SeedKey key, const std::string& teacher_id,
                           Logger* logger)
    : student_(std::move(student)), objective_(objective) {
  const auto device = student_->parameters().front().device();
  objective_.to(device);
  if (distill.terms.empty()) return;
  phases_ = distill.phases;
  TORCH_CHECK(teacher, "LearningTask: terms without a teacher");
  if (student_->rate_hz() != teacher->rate_hz()) {
    throw ConfigError(format(
        "the student works at %d Hz, the teacher at %d Hz; give both one rate: a student with "
        "model.rate_hz: %d, or a teacher that was trained at the student's",
        student_->rate_hz(), teacher->rate_hz(), teacher->rate_hz()));
  }
  const DistillContext context{*student_, *teacher, objective, batch_size};
  for (size_t i = 0; i < distill.terms.size(); ++i) add_term(i, distill.terms[i], context);

  std::vector<std::string> names, teacher_taps;
  bool needs_estimate = false;
  for (const ActiveTerm& term : terms_) {
    names.push_back(term.name);
    add_unique(student_taps_, term.term->student_taps());
    add_unique(teacher_taps, term.term->teacher_taps());
    needs_estimate = needs_estimate || term.term->needs_teacher_estimate();
  }
  balance_ = helpers_.register_module("balance", std::make_shared<Balance>(distill.balance, names));
  nn::initialize(helpers_, key.with("weights"));
  helpers_.to(device);
  teacher_ = std::make_shared<Teacher>(std::move(teacher), teacher_taps, needs_estimate, device,
                                       distill.cache, teacher_id, logger);
}

void LearningTask::add_term(size_t index, const DistillTermConfig& config,
                            const DistillContext& context) {
  std::string name = config.chosen.name();
  std::shared_ptr<DistillTerm> term;
  try {
    term = distill_terms().build(name, *config.chosen, context);
  } catch (const ConfigError& e) {
    throw ConfigError(format("distill.terms.%d (%s): ", index, name) + e.what());
  }
  for (const ActiveTerm& other : terms_) {
    if (other.name == name) name = format("%s_%d", config.chosen.name(), index);
  }
  terms_.push_back({name, config.weight, helpers_.register_module(name, term)});
}

LossReport LearningTask::forward(const TaskBatch& batch) {
  const StepPlan step = plan_step(phases_, batch.step);
  const bool distills = step.distill && !terms_.empty();
  LossReport report;
  const auto student = student_->forward(
      batch.noisy, distills ? student_taps_ : std::vector<std::string>(), batch.valid_samples);
  report.estimate = student.estimate.detach();
  const LossInput supervised = loss_input(student.estimate, batch);
  // Validation asks for the denoising loss in every phase.
  if (step.task || !student_->is_training()) {
    objective_.add_to(report, supervised);
    report.denoising = report.total.detach();
  }
  if (!distills) return report;

  const nn::Denoised teacher =
      teacher_->forward(batch.noisy, batch.valid_samples, batch.noisy_on_host);
  const auto frame_mask = [&](const nn::DenoisingModel& model) {
    std::vector<int64_t> frames;
    for (const int64_t samples : batch.valid_samples) frames.push_back(model.tap_frames(samples));
    return length_mask(frames, model.tap_frames(batch.noisy.size(1)), batch.noisy);
  };
  add_terms(report,
            {.student = student.taps,
             .teacher = teacher.taps,
             .frame_mask = frame_mask(*student_),
             .student_estimate = student.estimate,
             .teacher_estimate = teacher.estimate,
             .clean = batch.clean,
             .sample_mask = supervised.mask,
             .teacher_frame_mask = frame_mask(teacher_->model()),
             .execution = {student_->kernels(), use_}},
            step);
  return report;
}

void LearningTask::add_terms(LossReport& report, const DistillInput& input, const StepPlan& step) {
  std::vector<at::Tensor> values;
  for (const ActiveTerm& term : terms_) values.push_back(term.term->forward(input));
  const bool trains = student_->is_training() && at::GradMode::is_enabled();
  const bool calibrates = trains && balance_->calibrates(step);
  const bool watches = trains && watches_ && step.joint();
  if (calibrates || watches) {
    const auto norms = gradient_norms(report.total, values, student_->parameters());
    if (calibrates) balance_->add(norms);
    if (watches) watch(norms, step);
  }
  if (trains) balance_->require_gradients(step);
  for (size_t i = 0; i < terms_.size(); ++i) {
    const auto factor = balance_->factor(i, step, values[i].device());
    report.add(terms_[i].name, terms_[i].weight, values[i], factor);
    if (factor.defined() && trains) {
      report.parts.push_back({"lambda_" + terms_[i].name, factor.to(report.parts.back().value)});
    }
  }
}

Stretch LearningTask::stretch(int64_t step, int64_t steps) const {
  return find_stretch(phases_, step, steps);
}

void LearningTask::watch_kernels(nn::KernelUse* use) {
  use_ = use;
  student_->watch(use);
  if (teacher_) teacher_->model().watch(use);
}

void LearningTask::watch_strengths() {
  watches_ = true;
  watched_.assign(terms_.size(), {});
}

void LearningTask::watch(const std::vector<GradientNorms>& norms, const StepPlan& step) {
  for (size_t i = 0; i < terms_.size(); ++i) {
    TermStrength& watched = watched_[i];
    const auto factor = balance_->factor(i, step, norms[i].term.device());
    watched.factor = factor.defined() ? factor.item<double>() : 1;
    watched.task_norm += norms[i].task.item<double>();
    watched.term_norm += terms_[i].weight * watched.factor * norms[i].term.item<double>();
    ++watched.steps;
  }
}

std::vector<TermStrength> LearningTask::strengths() const {
  std::vector<TermStrength> means = watched_;
  for (TermStrength& mean : means) {
    mean.task_norm /= static_cast<double>(std::max<int64_t>(mean.steps, 1));
    mean.term_norm /= static_cast<double>(std::max<int64_t>(mean.steps, 1));
  }
  return means;
}

}  // namespace limbeck::objective
