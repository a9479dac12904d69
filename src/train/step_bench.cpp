#include "limbeck/train/step_bench.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>

#include "limbeck/core/interrupt.h"
#include "limbeck/core/statistics.h"
#include "limbeck/nn/device.h"
#include "limbeck/train/setup.h"
#include "limbeck/train/trainer.h"

namespace limbeck {
namespace {

/// A device works behind our back; its share is over when it has nothing left to do.
void wait_for(const at::Device& device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

}  // namespace

StepTimes time_steps(const DistillConfig& config, int64_t steps) {
  const at::Device device = nn::select_device(config.run.device);
  StepTimes times;
  times.threads = nn::set_threads(config.run.threads);
  times.device = device.str();
  times.steps = steps;
  const auto task = make_task(config, device);
  const auto train = make_train_dataset(config.data);
  const SeedKey key(static_cast<uint64_t>(config.run.seed));
  Loader loader(*train, loader_options(config.data, config.train.batch_size, nullptr), key);
  AdamW optimizer(config.train.optimizer,
                  {{"model", &task->model()}, {"helpers", &task->helpers()}});
  task->model().train();
  task->helpers().train();

  std::vector<double> parts[5];
  const int64_t warm_up = std::max<int64_t>(steps / 10, 2);
  for (int64_t step = 0; step < warm_up + steps; ++step) {
    throw_if_interrupted();
    using Clock = std::chrono::steady_clock;
    Clock::time_point marks[5];
    const auto mark = [&](size_t i) {
      wait_for(device);
      marks[i] = Clock::now();
    };
    mark(0);
    const auto batch = to_device(loader.next(), device);
    mark(1);
    optimizer.zero_grad();
    const auto report = task->forward(batch);
    mark(2);
    report.total.backward();
    mark(3);
    optimizer.step(schedule_factor(config.train.schedule, step, config.train.steps));
    mark(4);
    if (step < warm_up) continue;
    const auto between = [&](size_t a, size_t b) {
      return std::chrono::duration<double, std::milli>(marks[b] - marks[a]).count();
    };
    for (size_t i = 0; i < 4; ++i) parts[i].push_back(between(i, i + 1));
    parts[4].push_back(between(0, 4));
  }
  times.data = median(parts[0]);
  times.forward = median(parts[1]);
  times.backward = median(parts[2]);
  times.optimizer = median(parts[3]);
  times.total = median(parts[4]);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  times.peak_memory_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  return times;
}

}  // namespace limbeck
