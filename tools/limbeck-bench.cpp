#include <nlohmann/json.hpp>

#include "bench/data.h"
#include "bench/metrics.h"
#include "bench/model.h"
#include "common.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/train/step_bench.h"

namespace {

using namespace limbeck;

void print_bench(const StepBench& bench, bool json) {
  if (json) {
    nlohmann::json object = {{"steps", bench.steps},
                             {"threads", bench.threads},
                             {"device", bench.device},
                             {"peak_memory_mib", bench.peak_memory_mib},
                             {"rows", nlohmann::json::array()}};
    for (const StepTimes& t : bench.rows) {
      object["rows"].push_back({{"name", t.name},
                                {"data_ms", t.data},
                                {"forward_ms", t.forward},
                                {"backward_ms", t.backward},
                                {"optimizer_ms", t.optimizer},
                                {"step_ms", t.total}});
    }
    print("%s\n", object.dump());
    return;
  }
  const auto ms = [](double value) { return format("%.1f", value); };
  const size_t names = bench.rows.size() > 1 ? 1 : 0;
  std::vector<std::string> header = {"data", "forward", "backward", "optimizer", "step"};
  if (names) header.insert(header.begin(), "training");
  std::vector<std::vector<std::string>> rows;
  for (const StepTimes& t : bench.rows) {
    auto& row = rows.emplace_back();
    if (names) row.push_back(t.name);
    for (const double part : {t.data, t.forward, t.backward, t.optimizer, t.total}) {
      row.push_back(ms(part));
    }
  }
  print("%s(medians of %d steps in ms, %s, %d threads; at most %.0f MiB of memory)\n",
        markdown_table(header, rows, names), bench.steps, bench.device, bench.threads,
        bench.peak_memory_mib);
}

CLI::App* add_metrics_command(CLI::App& app, MetricsBenchOptions& options) {
  CLI::App* metrics = app.add_subcommand(
      "metrics", "speed of scoring, alone or against the Python packages pesq and pystoi");
  metrics->add_option("--manifest", options.manifest, "manifest of pairs")->required();
  metrics->add_option("--jobs", options.jobs, "pairs at a time, 0: one a core")
      ->check(CLI::NonNegativeNumber);
  metrics->add_option("--metrics", options.metrics, "what the second row scores")
      ->delimiter(',')
      ->capture_default_str();
  metrics->add_option("--repetitions", options.repetitions, "timed passes")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  metrics->add_option("--python", options.python,
                      "interpreter with pesq, pystoi and soundfile, to compare with");
  metrics->add_option("--script", options.script, "what it runs")->capture_default_str();
  metrics->add_flag("--json", options.json, "one JSON object instead of tables");
  return metrics;
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool(
      "limbeck-bench", "Measures speed.",
      "limbeck-bench step configs/pretrain/demo_teacher.yaml\n"
      "  limbeck-bench step configs/distill/cosine.yaml --set teacher.checkpoint=runs/teacher\n"
      "  limbeck-bench model configs/model/student_25k.yaml\n"
      "  limbeck-bench data configs/pretrain/demo_student.yaml\n"
      "  limbeck-bench metrics --manifest test.csv");
  tool.app.require_subcommand(1);
  tool.app.fallthrough();
  CLI::App* step = tool.app.add_subcommand(
      "step",
      "time of a training step, of any pretrain or distil configuration; of the latter also of the "
      "student alone, and with the teacher cached");
  ConfigOptions options(*step, "run.device");
  options.add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  int64_t steps = 20;
  bool json = false;
  step->add_option("--steps", steps, "steps to measure, at least 20")
      ->check(CLI::Range(20, 100000))
      ->capture_default_str();
  step->add_flag("--json", json, "one JSON object instead of the table");
  MetricsBenchOptions metrics_options;
  CLI::App* metrics = add_metrics_command(tool.app, metrics_options);
  const auto bench_data = add_data_command(tool.app);
  const auto bench_model = add_model_command(tool.app);
  return tool.run(argc, argv, [&] {
    if (metrics->parsed()) return static_cast<int>(bench_metrics(metrics_options, tool.logger()));
    if (tool.app.got_subcommand("data")) return bench_data();
    if (tool.app.got_subcommand("model")) return bench_model();
    TrainingConfig config;
    if (options.load(config) && !options.check) print_bench(time_steps(config, steps), json);
    return 0;
  });
}
