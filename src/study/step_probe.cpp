#include "study/step_probe.h"

#include <torch/types.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "limbeck/config/resolve.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/scratch_folder.h"
#include "limbeck/nn/device.h"
#include "limbeck/objective/task.h"
#include "limbeck/objective/teacher.h"
#include "limbeck/train/step.h"
#include "limbeck/train/step_timer.h"

namespace limbeck {
namespace {

constexpr int64_t kWarmUp = 2;
constexpr int64_t kSteps = 10;
constexpr int64_t kLeast = 3;
constexpr std::chrono::seconds kPatience(2);  // after which kLeast steps will do

/// What of it a step takes time for, but how strong terms are; the cache not yet.
objective::DistillOptions costly_part(const objective::DistillOptions& distill) {
  objective::DistillOptions part;
  part.terms = distill.terms;
  for (auto& term : part.terms) term.weight = 1;
  part.cache.precision = distill.cache.precision;
  return part;
}

std::string as_text(const auto& options) { return config::to_yaml(config::to_node(options)); }

/// Of all that decides how long a step takes: neither seeds and data nor how fast it learns.
std::string key_of(const TrainingConfig& config, const std::optional<nn::ModelConfig>& teacher) {
  const RunOptions& run = config.run;
  const TrainOptions& train = config.train;
  return join({as_text(config.model), as_text(config.objective), as_text(config.distill),
               teacher ? as_text(*teacher) : "", train.optimizer.chosen.name(), run.device,
               nn::to_string(run.kernels),
               format("%d %d %d, %d x %d x %g s at %d Hz, %d", run.threads, run.tf32,
                      run.deterministic, train.accumulate, train.batch_size,
                      config.data.segment_seconds, config.data.rate_hz, train.ema.decay > 0)},
              "\n");
}

Batch random_batch(const TrainingConfig& config) {
  Batch batch;
  batch.size = config.train.batch_size;
  batch.samples =
      std::llround(config.data.segment_seconds * static_cast<double>(config.data.rate_hz));
  batch.valid_samples.assign(static_cast<size_t>(batch.size), batch.samples);
  Random random(SeedKey(1));
  for (int64_t i = 0; i < batch.size * batch.samples; ++i) {
    batch.clean.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
    batch.noisy.push_back(batch.clean.back() + static_cast<float>(random.uniform(-0.1, 0.1)));
  }
  return batch;
}

/// Of weights, two moments of each, and their average, if there is one.
int64_t checkpoint_bytes(objective::LearningTask& task, bool averages) {
  const int64_t numbers = (averages ? 4 : 3) * nn::parameter_count(task.model()) +
                          3 * nn::parameter_count(task.helpers());
  return numbers * static_cast<int64_t>(sizeof(float));
}

StepCost measure(const TrainingConfig& config, const std::optional<nn::ModelConfig>& teacher) {
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  nn::set_threads(config.run.threads);
  const auto network = [&](const nn::ModelConfig& of) {
    auto model = nn::build_model(of, SeedKey(1));
    model->set_kernels(config.run.kernels);
    return model;
  };
  auto student = network(config.model);
  student->to(device);
  objective::LearningTask task(student, teacher ? network(*teacher) : nullptr, config.objective,
                               config.distill, config.train.batch_size, SeedKey(1), "probe");
  TrainOptions in_steps_only = config.train;
  in_steps_only.steps = 1000000;  // no schedule ends here
  in_steps_only.epochs = 0;
  TrainStep step(in_steps_only, task);
  const Batch batch = random_batch(config);
  const std::vector<Batch> batches(static_cast<size_t>(config.train.accumulate), batch);
  StepTimer timer(device, kWarmUp);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t n = 0; n < kWarmUp + kSteps; ++n) {
    const bool is_late = std::chrono::steady_clock::now() - start > kPatience;
    if (is_late && n >= kWarmUp + kLeast) break;
    throw_if_interrupted();
    timer.begin(0);
    step(to_device(batches, device), n, &timer);
  }
  StepCost cost;
  cost.seconds = timer.median_step_ms() / 1000;
  cost.checkpoint_bytes = checkpoint_bytes(task, config.train.ema.decay > 0);
  if (task.teacher() != nullptr) {
    cost.said_bytes = task.teacher()->stored_bytes(batch.size, batch.samples);
  }
  return cost;
}

}  // namespace

const StepCost& StepProbe::of(const PlannedTraining& training, bool distills) {
  TrainingConfig config = training.config;
  const bool caches = distills && !config.distill.cache.dir.empty();
  config.distill = distills ? costly_part(config.distill) : objective::DistillOptions();
  if (caches) config.distill.cache.dir = "a folder for temporary files";
  const auto teacher = distills ? training.teacher : std::nullopt;
  const std::string key = key_of(config, teacher);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  std::optional<ScratchFolder> scratch;
  if (caches) config.distill.cache.dir = scratch.emplace().path().string();
  const at::Device device = nn::select_device(config.run.device);
  return known_[key] =
             nn::within_memory(device, format("train.batch_size: %d", config.train.batch_size),
                               [&] { return measure(config, teacher); });
}

}  // namespace limbeck
