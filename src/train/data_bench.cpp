#include "limbeck/train/data_bench.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>

#include "limbeck/core/interrupt.h"
#include "limbeck/nn/device.h"
#include "limbeck/train/make_task.h"
#include "limbeck/train/trainer.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

LoaderOptions with_workers(const TrainingConfig& config, int64_t workers) {
  LoaderOptions options = loader_options(config.data, config.train.batch_size, nullptr);
  options.workers = workers;
  return options;
}

void time_batches(const TrainingConfig& config, double seconds, LoadingSpeed& speed) {
  const auto train = make_train_dataset(config.data);
  Loader loader(*train, with_workers(config, speed.workers), SeedKey(1));
  loader.next();  // threads and files are there now
  const auto start = Clock::now();
  int64_t batches = 0;
  do {
    throw_if_interrupted();
    loader.next();
    ++batches;
  } while (seconds_since(start) < seconds);
  speed.batches_per_second = static_cast<double>(batches) / seconds_since(start);
  speed.audio_per_second = speed.batches_per_second * static_cast<double>(config.train.batch_size) *
                           config.data.segment_seconds;
  speed.unreadable = loader.unreadable();
}

void time_steps(const TrainingConfig& config, const at::Device& device, int64_t steps,
                LoadingSpeed& speed) {
  const auto task = make_task(config, device);
  const auto train = make_train_dataset(config.data);
  Loader loader(*train, with_workers(config, speed.workers), SeedKey(1));
  AdamW optimizer(config.train.optimizer,
                  {{"model", &task->model()}, {"helpers", &task->helpers()}});
  task->model().train();
  task->helpers().train();
  const int64_t warm_up = std::max<int64_t>(steps / 10, 2);
  Clock::time_point start;
  double waited_before = 0;
  for (int64_t step = 0; step < warm_up + steps; ++step) {
    throw_if_interrupted();
    if (step == warm_up) {
      start = Clock::now();
      waited_before = loader.wait_seconds();
    }
    const auto batch = to_device(loader.next(), device);
    optimizer.zero_grad();
    task->forward(batch).total.backward();
    optimizer.step(schedule_factor(config.train.schedule, step, config.train.steps));
    // As training does on a CPU; on a GPU it runs ahead, which can only shorten the waiting.
    if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
  }
  const double total = seconds_since(start);
  speed.step_ms = 1000 * total / static_cast<double>(steps);
  speed.wait_share = (loader.wait_seconds() - waited_before) / total;
}

}  // namespace

DataBench time_loading(const TrainingConfig& config, const std::vector<int64_t>& workers,
                       double seconds, int64_t steps) {
  const at::Device device = nn::select_device(config.run.device);
  DataBench bench;
  bench.threads = nn::set_threads(config.run.threads);
  bench.device = device.str();
  bench.steps = steps;
  for (const int64_t count : workers) {
    LoadingSpeed speed;
    speed.workers = count;
    time_batches(config, seconds, speed);
    time_steps(config, device, steps, speed);
    bench.speeds.push_back(speed);
  }
  return bench;
}

}  // namespace limbeck
