#include "bench/data.h"
#include "bench/metrics.h"
#include "bench/model.h"
#include "bench/step.h"
#include "common.h"

namespace {

using namespace limbeck;

CLI::App* add_metrics_command(CLI::App& app, MetricsBenchOptions& options) {
  CLI::App* metrics = app.add_subcommand(
      "metrics", "speed of scoring, alone or against the Python packages pesq and pystoi");
  metrics->add_option("--manifest", options.manifest, "manifest of pairs")->required();
  metrics->add_option("--jobs,--threads", options.jobs, "pairs at a time, 0: one a core")
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
  const auto bench_step = add_step_command(tool.app);
  MetricsBenchOptions metrics_options;
  CLI::App* metrics = add_metrics_command(tool.app, metrics_options);
  const auto bench_data = add_data_command(tool.app);
  const auto bench_model = add_model_command(tool.app);
  return tool.run(argc, argv, [&] {
    if (metrics->parsed()) return static_cast<int>(bench_metrics(metrics_options, tool.logger()));
    if (tool.app.got_subcommand("data")) return bench_data();
    if (tool.app.got_subcommand("model")) return bench_model();
    return bench_step();
  });
}
