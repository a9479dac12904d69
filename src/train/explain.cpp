#include "limbeck/train/explain.h"

#include <algorithm>

#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/table.h"
#include "limbeck/data/loader.h"
#include "limbeck/data/options.h"
#include "limbeck/nn/device.h"
#include "limbeck/objective/teacher.h"
#include "limbeck/train/init.h"
#include "limbeck/train/make_task.h"
#include "limbeck/train/step.h"

namespace limbeck {
namespace {

using objective::LearningTask;

std::string number(int64_t value) { return std::to_string(value); }

std::string shape(const nn::DenoisingModel& model, const std::string& tap, int64_t batch_size,
                  int64_t samples) {
  const nn::TapInfo info = model.tap_info(tap);
  return tap + " [" +
         join({number(batch_size), number(info.channels), number(model.tap_frames(samples)),
               number(info.bins())},
              ", ") +
         "]";
}

std::vector<std::string> shapes(const nn::DenoisingModel& model,
                                const std::vector<std::string>& taps, bool estimate,
                                int64_t batch_size, int64_t samples) {
  std::vector<std::string> all;
  for (const std::string& tap : taps) all.push_back(shape(model, tap, batch_size, samples));
  if (estimate) {
    all.push_back("estimate [" + number(batch_size) + ", " + number(samples) + "]");
  }
  return all;
}

/// Trains on the first batches of the run.
void train(const TrainingConfig& config, TrainStep& train_step, const Dataset& dataset,
           const at::Device& device, int64_t batches) {
  Loader loader(dataset, loader_options(config.data, config.train.batch_size, nullptr),
                SeedKey(static_cast<uint64_t>(config.run.seed)));
  for (int64_t step = 0; step < batches; ++step) {
    throw_if_interrupted();
    train_step(to_device(loader.next(), device), step);
  }
}

/// One row a tap; what belongs to the term stands in its first.
std::string term_table(const LearningTask& task, const nn::DenoisingModel& student,
                       int64_t batch_size, int64_t samples) {
  std::vector<std::vector<std::string>> rows;
  const auto strengths = task.strengths();
  for (size_t i = 0; i < task.terms().size(); ++i) {
    const auto& [name, weight, term] = task.terms()[i];
    const auto& strength = strengths[i];
    const bool estimate = term->needs_teacher_estimate();
    const auto of_student = shapes(student, term->student_taps(), estimate, batch_size, samples);
    const auto of_teacher =
        shapes(task.teacher()->model(), term->teacher_taps(), estimate, batch_size, samples);
    const double both = strength.task_norm + strength.term_norm;
    const std::string share = strength.steps == 0 || !(both > 0)
                                  ? "-"
                                  : format("%.1f %%", 100 * strength.term_norm / both);
    for (size_t k = 0; k < std::max(of_student.size(), of_teacher.size()); ++k) {
      const bool first = k == 0;
      rows.push_back({first ? name : "", k < of_student.size() ? of_student[k] : "",
                      k < of_teacher.size() ? of_teacher[k] : "",
                      first ? number(nn::parameter_count(*term)) : "",
                      first ? shortest(weight) : "",
                      first ? (strength.steps == 0 ? "-" : format("%.4g", strength.factor)) : "",
                      first ? share : ""});
    }
  }
  return markdown_table({"term", "student", "teacher", "adapter", "weight", "λ", "gradient"}, rows,
                        3);
}

/// Without phases there is one.
std::string phase_lines(const TrainingConfig& config, const TrainStep& train_step) {
  std::string text;
  int64_t from = 1;
  auto phases = config.distill.phases;
  if (phases.empty()) phases.emplace_back();
  for (size_t i = 0; i < phases.size(); ++i) {
    const int64_t to = i + 1 == phases.size() ? config.train.steps : from + phases[i].steps - 1;
    text += format("steps %d to %d: %s; learning rate %.3g in the first, %.3g in the last%s\n",
                   from, to,
                   !phases[i].task     ? "the terms alone"
                   : phases[i].distill ? "the denoising loss and the terms"
                                       : "the denoising loss alone",
                   train_step.lr(from - 1), train_step.lr(to - 1),
                   i == 0              ? ""
                   : phases[i].restart ? "; schedule and optimizer start anew"
                                       : "; schedule and optimizer go on");
    from = to + 1;
  }
  return text;
}

std::string balance_line(const objective::BalanceOptions& balance) {
  if (balance.mode == "warmup") return format("λ rises from 0 to 1 over %d steps\n", balance.steps);
  if (balance.mode == "constant") return "λ is 1 throughout\n";
  return format(
      "λ makes each term's gradient %g times that of the denoising loss, as measured over the "
      "first %d steps that train both; weights multiply it\n",
      balance.target, balance.steps);
}

std::string cache_line(const TrainingConfig& config, const LearningTask& task, int64_t items,
                       int64_t samples) {
  const int64_t batch = task.teacher()->stored_bytes(config.train.batch_size, samples);
  const int64_t size = config.train.batch_size;
  const int64_t batches = (config.data.epochs_unique * items + size - 1) / size;
  const auto mib = [](int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  if (config.distill.cache.dir.empty()) {
    return format(
        "the teacher is run in every step; kept in a cache, a batch of it would take "
        "%.2f MiB\n",
        mib(batch));
  }
  const double max_gb = config.distill.cache.max_gb;
  const bool fits = max_gb == 0 || static_cast<double>(batch * batches) <= max_gb * 1e9;
  return format("the teacher is kept in %s: %d training batches, %.0f MiB, and validation%s\n",
                config.distill.cache.dir, batches, mib(batch * batches),
                fits ? "" : format("; distill.cache.max_gb: %g keeps less of it", max_gb));
}

}  // namespace

std::string explain(const TrainingConfig& config, int64_t batches) {
  const at::Device device = nn::select_device(config.run.device);
  nn::set_threads(config.run.threads);
  TrainingConfig without_cache = config;
  without_cache.distill.cache.dir.clear();
  const auto task = make_task(without_cache, device);
  if (const auto init = find_init(config.train)) {
    take_init(task->model(), config.train, *init, nullptr);
  }
  std::string text = "student: " + nn::cost_text(task->model()) + "\n";
  if (task->terms().empty()) return text + "no terms: the student is trained from scratch\n";
  text += "teacher: " + task->teacher()->cost() + ", " + config.teacher.checkpoint + "\n\n";
  const auto dataset = make_train_dataset(config.data);
  task->watch_strengths();
  TrainStep train_step(config.train, *task);
  train(config, train_step, *dataset, device, batches);
  const int64_t samples = dataset->segment_samples();
  text += term_table(*task, task->model(), config.train.batch_size, samples);
  text += format(
      "(shapes: batch, channels, frames, bins; adapter: parameters that train beside the student; "
      "gradient: the term's share, λ and weight included, of what the denoising loss and the term "
      "ask of the student's parameters that both reach, mean norms over %d batches)\n\n",
      batches);
  return text + balance_line(config.distill.balance) + phase_lines(config, train_step) +
         cache_line(config, *task, dataset->size(), samples);
}

}  // namespace limbeck
