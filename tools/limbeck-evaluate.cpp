#include "common.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/eval/compare.h"
#include "limbeck/eval/evaluate.h"

namespace {

using namespace limbeck;

struct CompareOptions {
  std::string a, b, by;
  size_t worst = 10;
  bool json = false;
};

CLI::App* add_compare(CLI::App& app, CompareOptions& options) {
  CLI::App* compare = app.add_subcommand(
      "compare", "what two results of limbeck-evaluate differ by, paired by utterance");
  compare->add_option("A", options.a, "folder of results")->required();
  compare->add_option("B", options.b, "folder of results on the same set")->required();
  compare->add_option("--by", options.by, "metric that orders the worst files; default: the first");
  compare->add_option("--worst", options.worst, "how many of them")->capture_default_str();
  compare->add_flag("--json", options.json, "one JSON object instead of the tables");
  return compare;
}

void print_comparison(const CompareOptions& options) {
  const Comparison comparison = compare_results(options.a, options.b, options.by, options.worst);
  print("%s", options.json ? (comparison_json(comparison) + "\n")
                           : comparison_text(comparison, options.a, options.b));
}

void print_metrics() {
  std::vector<std::vector<std::string>> rows;
  for (const Metric& metric : build_metrics({"all"})) {
    rows.push_back({metric.name, metric_registry().help(metric.name),
                    metric.higher_is_better ? "higher" : "lower", std::to_string(metric.version)});
  }
  print("%s", markdown_table({"metric", "what", "better", "version"}, rows, 3));
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool(
      "limbeck-evaluate",
      "Scores a model, several runs, or a folder that any system made. Configuration files are "
      "optional.",
      "limbeck-evaluate --model runs/student --manifest test.csv --out scores\n"
      "  limbeck-evaluate --model runs/student --protocol data/vbd/protocol.yaml --out scores\n"
      "  limbeck-evaluate --clean test/clean --estimate enhanced --metrics all --out scores\n"
      "  limbeck-evaluate --clean test/clean --estimate out --strip-suffix _enhanced --out scores\n"
      "  limbeck-evaluate --runs 'runs/cosine-s*' --manifest test.csv --out scores\n"
      "  limbeck-evaluate compare scores_a scores_b");
  ConfigOptions options(tool.app, "device");
  options.add_shortcut("--model", "model", "run folder, checkpoint folder or model file");
  options.add_shortcut("--runs", "runs", "shell pattern of run folders: mean ± std over them");
  options.add_shortcut("--which", "which", "best or last");
  options.add_shortcut("--manifest", "manifest", "manifest of pairs");
  options.add_shortcut("--protocol", "protocol", "protocol whose test pairs to score on");
  options.add_shortcut("--clean", "clean", "folder of clean files");
  options.add_shortcut("--estimate", "estimate", "folder of files of the same names");
  options.add_shortcut("--noisy", "noisy", "folder of the noisy files, with --clean");
  options.add_shortcut("--strip-suffix", "strip_suffix",
                       "what estimates have behind the name: _enhanced for x_enhanced.wav");
  options.add_shortcut("--strip-prefix", "strip_prefix", "what they have before it");
  options.add_shortcut("--out", "out", "folder for the results");
  options.add_list_shortcut("--metrics", "metrics", "what to score, or all");
  options.add_number_shortcut("--jobs,--threads", "jobs", "utterances at once; 0: one a core");
  options.add_flag_shortcut("--save-audio", "save_audio", "keep what the model makes");
  options.add_flag_shortcut("--align", "align", "shift estimates to their clean side");
  options.add_number_shortcut("--resample", "resample_hz", "bring all files to a rate", 16000);
  options.add_shortcut("--channel", "channel",
                       "channel of files of several that is scored, from 0; mix: the mean of all");
  options.add_flag_shortcut("--allow-leak", "allow_leak",
                            "score a set that was seen in training, and say so");
  bool list_metrics = false;
  tool.app.add_flag("--list-metrics", list_metrics, "print what can be scored, then stop");
  CompareOptions compare;
  const CLI::App* compares = add_compare(tool.app, compare);
  return tool.run(argc, argv, [&] {
    if (compares->parsed()) {
      print_comparison(compare);
      return 0;
    }
    if (list_metrics) {
      print_metrics();
      return 0;
    }
    EvaluateConfig config;
    if (!options.load(config)) return 0;
    return static_cast<int>(run_evaluation(config, options.check, tool.logger()));
  });
}
