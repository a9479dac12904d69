#include "bench/step.h"

#include <sys/resource.h>
#include <torch/types.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "bench/kernels.h"
#include "common.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/json.h"
#include "limbeck/core/scratch_folder.h"
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
  int64_t steps = 20;
  bool json = false;
};

/// One way to train, and how long its steps took.
class Arm {
 public:
  /// `name` is empty where there is but one.
  Arm(std::string name, const TrainingConfig& config, const at::Device& device, int64_t warm_up)
      : name_(std::move(name)),
        caches_(!config.distill.cache.dir.empty()),
        task_(make_task(config, device)),
        step_(config.train, *task_),
        timer_(device, warm_up) {}

  void step(const std::vector<objective::TaskBatch>& batches, int64_t step, double data_ms) {
    if (caches_) {  // another epoch was here before
      at::NoGradGuard no_grad;
      task_->model().train();
      for (const auto& batch : batches) task_->forward(batch);
    }
    task_->watch_kernels(step == 0 ? &kernels_ : nullptr);  // a step of the warm-up
    timer_.begin(data_ms);
    step_(batches, step, &timer_);
  }

  const std::string& name() const { return name_; }
  const StepTimer& timer() const { return timer_; }
  /// What ran where in a step, forward.
  const nn::KernelUse& kernels() const { return kernels_; }

 private:
  std::string name_;
  bool caches_;
  std::unique_ptr<objective::LearningTask> task_;
  TrainStep step_;
  StepTimer timer_;
  nn::KernelUse kernels_;
};

struct Bench {
  std::unique_ptr<ScratchFolder> scratch = std::make_unique<ScratchFolder>();  ///< of caches
  std::vector<std::unique_ptr<Arm>> arms;
  int threads = 0;  ///< of LibTorch
  std::string device;
  double peak_memory_mib = 0;  ///< of the process
  std::optional<double> peak_device_memory_mib;
};

/// Without distillation terms one arm. With terms there are three, which take each batch in turn:
/// the student alone, with the teacher, and with what the teacher says read from a cache in
/// `scratch` (so from the memory that the system keeps files in). What calibration costs in the
/// first steps (distill.balance) is left out.
std::vector<std::unique_ptr<Arm>> make_arms(const TrainingConfig& config, const at::Device& device,
                                            int64_t warm_up, const ScratchFolder& scratch) {
  std::vector<std::unique_ptr<Arm>> arms;
  const auto add = [&](const char* name, const TrainingConfig& variant) {
    arms.push_back(std::make_unique<Arm>(name, variant, device, warm_up));
  };
  TrainingConfig variant = config;
  variant.distill.cache.dir.clear();
  variant.distill.balance.mode = "constant";
  variant.distill.phases.clear();
  TrainingConfig alone = variant;
  alone.distill.terms.clear();
  if (config.distill.terms.empty()) {
    add("", alone);
    return arms;
  }
  add("student alone", alone);
  add("with teacher", variant);
  variant.distill.cache.dir = scratch.path().string();
  add("with teacher cached", variant);
  return arms;
}

Bench time_steps(const TrainingConfig& config, int64_t steps) {
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  Bench bench;
  bench.threads = nn::set_threads(config.run.threads);
  bench.device = device.str();
  const int64_t warm_up = warm_up_steps(steps);
  const auto train = make_train_dataset(config.data);
  TrainingConfig in_steps_only = config;
  in_steps_only.train = in_steps(config.train, train->size());
  bench.arms = make_arms(in_steps_only, device, warm_up, *bench.scratch);
  Loader loader(*train, loader_options(config.data, config.train.batch_size, nullptr),
                SeedKey(static_cast<uint64_t>(config.run.seed)));
  DeviceClock clock(device);
  nn::within_memory(device, format("train.batch_size: %d", config.train.batch_size), [&] {
    for (int64_t step = 0; step < warm_up + steps; ++step) {
      throw_if_interrupted();
      clock.lap_ms();
      const auto batches = to_device(loader.next(config.train.accumulate), device);
      const double data_ms = clock.lap_ms();
      for (const auto& arm : bench.arms) arm->step(batches, step, data_ms);
    }
  });
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  bench.peak_memory_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  if (const auto bytes = nn::peak_memory_bytes(device)) {
    bench.peak_device_memory_mib = static_cast<double>(*bytes) / (1 << 20);
  }
  return bench;
}

void print_json(const Bench& bench, int64_t steps) {
  nlohmann::json object = {{"steps", steps},
                           {"threads", bench.threads},
                           {"device", bench.device},
                           {"cpu_level", to_string(cpu_level())},
                           {"peak_memory_mib", bench.peak_memory_mib},
                           {"rows", nlohmann::json::array()}};
  if (bench.peak_device_memory_mib) {
    object["peak_device_memory_mib"] = *bench.peak_device_memory_mib;
  }
  for (const auto& arm : bench.arms) {
    const StepTimer& t = arm->timer();
    object["rows"].push_back({{"name", arm->name()},
                              {"data_ms", t.median_ms(StepPart::data)},
                              {"forward_ms", t.median_ms(StepPart::forward)},
                              {"backward_ms", t.median_ms(StepPart::backward)},
                              {"optimizer_ms", t.median_ms(StepPart::update)},
                              {"step_ms", t.median_step_ms()},
                              {"kernels", kernels_json(arm->kernels())}});
  }
  print("%s\n", json_text(object));
}

void print_table(const Bench& bench, int64_t steps) {
  const auto ms = [](double value) { return format("%.1f", value); };
  const size_t names = bench.arms.size() > 1 ? 1 : 0;
  std::vector<std::string> header = {"data", "forward", "backward", "optimizer", "step"};
  if (names) header.insert(header.begin(), "training");
  std::vector<std::vector<std::string>> rows;
  for (const auto& arm : bench.arms) {
    const StepTimer& t = arm->timer();
    auto& row = rows.emplace_back();
    if (names) row.push_back(arm->name());
    for (const StepPart part :
         {StepPart::data, StepPart::forward, StepPart::backward, StepPart::update}) {
      row.push_back(ms(t.median_ms(part)));
    }
    row.push_back(ms(t.median_step_ms()));
  }
  print("%s(medians of %d steps in ms, %s, %d threads, %s; at most %.0f MiB of memory%s)\n",
        markdown_table(header, rows, names), steps, bench.device, bench.threads,
        to_string(cpu_level()), bench.peak_memory_mib,
        bench.peak_device_memory_mib
            ? format(", %.0f MiB of the device's", *bench.peak_device_memory_mib)
            : "");
  std::vector<std::pair<std::string, nn::KernelUse>> passes;
  for (const auto& arm : bench.arms) passes.emplace_back(arm->name(), arm->kernels());
  print("\n%s", kernels_text(passes));
}

}  // namespace

std::function<int()> add_step_command(CLI::App& app) {
  CLI::App* step = app.add_subcommand(
      "step",
      "time of a training step, of any pretrain or distil configuration; of the latter also of the "
      "student alone, and with the teacher cached");
  auto a = std::make_shared<Arguments>();
  a->config = std::make_unique<ConfigOptions>(*step, "run.device");
  a->config->add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  step->add_option("--steps", a->steps, "steps to measure, at least 20")
      ->check(CLI::Range(20, 100000))
      ->capture_default_str();
  step->add_flag("--json", a->json, "one JSON object instead of the table");
  return [a] {
    TrainingConfig config;
    if (!a->config->load(config) || a->config->check) return 0;
    const Bench bench = time_steps(config, a->steps);
    a->json ? print_json(bench, a->steps) : print_table(bench, a->steps);
    return 0;
  };
}

}  // namespace limbeck
