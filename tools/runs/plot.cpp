#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "common.h"
#include "limbeck/core/plot.h"
#include "limbeck/metric/metric.h"
#include "limbeck/run/run_plot.h"

namespace limbeck {
namespace {

struct Arguments {
  std::vector<std::filesystem::path> runs;
  std::filesystem::path out;
  std::string split = "valid";
  std::string title;
  RunPlotOptions options;
};

std::map<std::string, std::string> titles() {
  std::map<std::string, std::string> titles = {{"lr", "learning rate"},
                                               {"gradient_norm", "gradient norm"},
                                               {"si_sdr_noisy", "SI-SDR of the noisy input (dB)"}};
  for (const Metric& metric : build_metrics({"all"})) titles[metric.name] = metric.title;
  return titles;
}

int run(Arguments& a, Logger& logger) {
  a.options.titles = titles();
  a.options.splits = {a.split};
  if (a.split == "both") a.options.splits = {"valid", "train"};
  Plot plot = plot_runs(a.runs, a.options);
  plot.title = a.title;
  write_plot(a.out, plot);
  print_about(a.out, a.out.string() + ": written", logger);
  return 0;
}

}  // namespace

Subcommand plot_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "plot",
      "curves of metrics along several runs, as SVG, or as PNG where rsvg-convert is there");
  auto a = std::make_shared<Arguments>();
  app->add_option("RUN", a->runs, "folders of runs")->required();
  app->add_option("--metrics", a->options.metrics,
                  "keys of metrics.jsonl, a panel each; dotted in inner objects, 'set/metric' of "
                  "further validation sets")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->capture_default_str();
  app->add_option("--split", a->split, "valid, train, or both, with train in the background")
      ->check(CLI::IsMember({"valid", "train", "both"}))
      ->capture_default_str();
  app->add_option("--x", a->options.x, "step, epoch or seconds; what the curves go along")
      ->check(CLI::IsMember({"step", "epoch", "seconds"}))
      ->capture_default_str();
  app->add_option(
         "--smooth", a->options.smooth,
         "mean of so many neighbouring points; with one split these stay in the background")
      ->check(CLI::Range(int64_t{1}, int64_t{1000000}))
      ->capture_default_str();
  app->add_option("--log", a->options.logarithmic, "metrics whose axis is logarithmic")
      ->allow_extra_args(false)
      ->delimiter(',');
  app->add_option("--title", a->title, "above the picture");
  app->add_option("--out", a->out, "file to write: .svg or .png")->required();
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
