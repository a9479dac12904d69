#include "bench/data.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "common.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/train/data_bench.h"

namespace limbeck {
namespace {

struct Arguments {
  std::unique_ptr<ConfigOptions> config;
  std::vector<int64_t> workers = {0, 1, 2, 4};
  double seconds = 3;
  int64_t steps = 40;
  bool json = false;
};

void print_json(const DataBench& bench, const TrainingConfig& config) {
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
  print("%s\n", object.dump());
}

void print_table(const DataBench& bench, const TrainingConfig& config) {
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
    const DataBench bench = time_loading(config, a->workers, a->seconds, a->steps);
    a->json ? print_json(bench, config) : print_table(bench, config);
    return 0;
  };
}

}  // namespace limbeck
