#include "limbeck/train/step_bench.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "limbeck/core/interrupt.h"
#include "limbeck/core/scratch_folder.h"
#include "limbeck/core/statistics.h"
#include "limbeck/nn/device.h"
#include "limbeck/train/make_task.h"
#include "limbeck/train/trainer.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;

/// A device works behind our back; its share is over when it has nothing left to do.
Clock::time_point now(const at::Device& device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
  return Clock::now();
}

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// One way to train, and how long its steps took.
class Arm {
 public:
  Arm(std::string name, const TrainingConfig& config, const at::Device& device)
      : name_(std::move(name)),
        train_(config.train),
        device_(device),
        caches_(!config.distill.cache.dir.empty()),
        task_(make_task(config, device)),
        optimizer_(train_.optimizer, {{"model", &task_->model()}, {"helpers", &task_->helpers()}}) {
    task_->model().train();
    task_->helpers().train();
  }

  void step(const objective::TaskBatch& batch, int64_t step, bool counts) {
    if (caches_) {  // another epoch was here before
      at::NoGradGuard no_grad;
      task_->forward(batch);
    }
    const auto start = now(device_);
    optimizer_.zero_grad();
    const auto report = task_->forward(batch);
    const auto forward = now(device_);
    report.total.backward();
    const auto backward = now(device_);
    optimizer_.step(schedule_factor(train_.schedule, step, train_.steps));
    const auto end = now(device_);
    if (!counts) return;
    forward_.push_back(milliseconds(start, forward));
    backward_.push_back(milliseconds(forward, backward));
    optimization_.push_back(milliseconds(backward, end));
    total_.push_back(milliseconds(start, end));
  }

  StepTimes times(const std::vector<double>& data) const {
    std::vector<double> total;
    for (size_t i = 0; i < total_.size(); ++i) total.push_back(total_[i] + data[i]);
    return {name_,        median(data), median(forward_), median(backward_), median(optimization_),
            median(total)};
  }

 private:
  std::string name_;
  TrainOptions train_;
  at::Device device_;
  bool caches_;
  std::unique_ptr<objective::LearningTask> task_;
  AdamW optimizer_;
  std::vector<double> forward_, backward_, optimization_, total_;
};

}  // namespace

StepBench time_steps(const TrainingConfig& config, int64_t steps) {
  const at::Device device = nn::select_device(config.run.device);
  StepBench bench;
  bench.threads = nn::set_threads(config.run.threads);
  bench.device = device.str();
  bench.steps = steps;
  std::optional<ScratchFolder> scratch;
  std::vector<std::unique_ptr<Arm>> arms;
  TrainingConfig variant = config;
  variant.distill.cache.dir.clear();
  variant.distill.balance.mode = "constant";
  variant.distill.phases.clear();
  if (config.distill.terms.empty()) {
    arms.push_back(std::make_unique<Arm>("", variant, device));
  } else {
    scratch.emplace();
    TrainingConfig alone = variant;
    alone.distill.terms.clear();
    arms.push_back(std::make_unique<Arm>("student alone", alone, device));
    arms.push_back(std::make_unique<Arm>("with teacher", variant, device));
    variant.distill.cache.dir = scratch->path().string();
    arms.push_back(std::make_unique<Arm>("with teacher cached", variant, device));
  }

  const auto train = make_train_dataset(config.data);
  const SeedKey key(static_cast<uint64_t>(config.run.seed));
  Loader loader(*train, loader_options(config.data, config.train.batch_size, nullptr), key);
  std::vector<double> data;
  const int64_t warm_up = std::max<int64_t>(steps / 10, 2);
  for (int64_t step = 0; step < warm_up + steps; ++step) {
    throw_if_interrupted();
    const auto start = now(device);
    const auto batch = to_device(loader.next(), device);
    const bool counts = step >= warm_up;
    if (counts) data.push_back(milliseconds(start, now(device)));
    for (const auto& arm : arms) arm->step(batch, step, counts);
  }
  for (const auto& arm : arms) bench.rows.push_back(arm->times(data));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  bench.peak_memory_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  return bench;
}

}  // namespace limbeck
