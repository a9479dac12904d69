#include "bench/data.h"

#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "common.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/json.h"
#include "limbeck/core/table.h"
#include "limbeck/data/loader.h"
#include "limbeck/data/options.h"
#include "limbeck/nn/device.h"
#include "limbeck/train/make_task.h"
#include "limbeck/train/step.h"
#include "limbeck/train/step_timer.h"

namespace limbeck {
namespace {

struct Arguments {
  std::unique_ptr<ConfigOptions> config;
  std::vector<int64_t> workers = {0, 1, 2, 4};
  double seconds = 3;
  int64_t steps = 40;
  bool json = false;
};

/// How fast batches come with so many threads.
struct LoadingSpeed {
  int64_t workers = 0;
  double batches_per_second = 0;  ///< asked for one after the other, without training
  double audio_per_second = 0;    ///< seconds of segments in those
  double step_ms = 0;             ///< mean time of a training step, waiting included
  double wait_share = 0;          ///< of that time, spent waiting for the batch
  int64_t unreadable = 0;         ///< examples that had to be replaced
};

struct Bench {
  std::vector<LoadingSpeed> speeds;
  int64_t steps = 0;  ///< measured, after a warm-up
  int threads = 0;    ///< of LibTorch
  std::string device;
};

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
  TrainStep train_step(in_steps(config.train, train->size()), *task);
  DeviceClock clock(device);
  double total_ms = 0, waited_before = 0;
  const int64_t warm_up = warm_up_steps(steps);
  for (int64_t step = 0; step < warm_up + steps; ++step) {
    throw_if_interrupted();
    if (step == warm_up) waited_before = loader.wait_seconds();
    train_step(to_device(loader.next(config.train.accumulate), device), step);
    // On a GPU training runs ahead, which can only shorten the waiting.
    const double lap_ms = clock.lap_ms();
    if (step >= warm_up) total_ms += lap_ms;
  }
  speed.step_ms = total_ms / static_cast<double>(steps);
  speed.wait_share = 1000 * (loader.wait_seconds() - waited_before) / total_ms;
}

/// Times the loader for each number of workers, on the configuration's own data: batches alone for
/// `seconds`, then training steps. Each starts with nothing in memory.
Bench time_loading(const TrainingConfig& config, const Arguments& a) {
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  Bench bench;
  bench.threads = nn::set_threads(config.run.threads);
  bench.device = device.str();
  bench.steps = a.steps;
  for (const int64_t count : a.workers) {
    LoadingSpeed speed;
    speed.workers = count;
    time_batches(config, a.seconds, speed);
    nn::within_memory(device, format("train.batch_size: %d", config.train.batch_size),
                      [&] { time_steps(config, device, a.steps, speed); });
    bench.speeds.push_back(speed);
  }
  return bench;
}

void print_json(const Bench& bench, const TrainingConfig& config) {
  nlohmann::json object = {{"batch_size", config.train.batch_size},
                           {"segment_seconds", config.data.segment_seconds},
                           {"prefetch", config.data.prefetch},
                           {"cache_mb", config.data.cache_mb},
                           {"steps", bench.steps},
                           {"threads", bench.threads},
                           {"device", bench.device},
                           {"workers", nlohmann::json::array()}};
  for (const LoadingSpeed& speed : bench.speeds) {
    object["workers"].push_back({{"workers", speed.workers},
                                 {"batches_per_second", speed.batches_per_second},
                                 {"audio_seconds_per_second", speed.audio_per_second},
                                 {"step_ms", speed.step_ms},
                                 {"wait_share", speed.wait_share},
                                 {"unreadable", speed.unreadable}});
  }
  print("%s\n", json_text(object));
}

void print_table(const Bench& bench, const TrainingConfig& config) {
  std::vector<std::vector<std::string>> rows;
  for (const LoadingSpeed& speed : bench.speeds) {
    rows.push_back({std::to_string(speed.workers), format("%.1f", speed.batches_per_second),
                    format("%.0f", speed.audio_per_second), format("%.1f", speed.step_ms),
                    format("%.2f", 100 * speed.wait_share)});
  }
  print(
      "%s(batches of %d x %g s, cache of %d MB; alone, then %d training steps on %s "
      "with %d threads)\n",
      markdown_table({"workers", "batches/s", "audio s/s", "step (ms)", "waiting (%)"}, rows, 0),
      config.train.batch_size, config.data.segment_seconds, config.data.cache_mb, bench.steps,
      bench.device, bench.threads);
}

}  // namespace

std::function<int()> add_data_command(CLI::App& app) {
  CLI::App* data = app.add_subcommand(
      "data", "speed of the loader by number of workers, and how long training waits for it");
  auto a = std::make_shared<Arguments>();
  a->config = std::make_unique<ConfigOptions>(*data, "run.device");
  a->config->add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  data->add_option("--workers", a->workers, "numbers of workers to measure")
      ->delimiter(',')
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  data->add_option("--seconds", a->seconds, "how long batches are asked for without training")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  data->add_option("--steps", a->steps, "training steps to measure")
      ->check(CLI::Range(10, 100000))
      ->capture_default_str();
  data->add_flag("--json", a->json, "one JSON object instead of the table");
  return [a] {
    TrainingConfig config;
    if (!a->config->load(config) || a->config->check) return 0;
    const Bench bench = time_loading(config, *a);
    a->json ? print_json(bench, config) : print_table(bench, config);
    return 0;
  };
}

}  // namespace limbeck
