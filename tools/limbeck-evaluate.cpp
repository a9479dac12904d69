#include "common.h"
#include "limbeck/eval/evaluate.h"

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool(
      "limbeck-evaluate",
      "Scores a model, several runs, or a folder that any system made. Configuration files are "
      "optional.",
      "limbeck-evaluate --model runs/student --manifest test.csv --out scores --metrics si_sdr\n"
      "  limbeck-evaluate --clean test/clean --estimate enhanced --metrics si_sdr --out scores\n"
      "  limbeck-evaluate --runs 'runs/cosine-s*' --manifest test.csv --out scores");
  ConfigOptions options(tool.app, "threads", "device");
  options.add_shortcut("--model", "model", "run folder, checkpoint folder or model file");
  options.add_shortcut("--runs", "runs", "shell pattern of run folders: mean ± std over them");
  options.add_shortcut("--which", "which", "best or last");
  options.add_shortcut("--manifest", "manifest", "manifest of pairs");
  options.add_shortcut("--clean", "clean", "folder of clean files");
  options.add_shortcut("--estimate", "estimate", "folder of files of the same names");
  options.add_shortcut("--noisy", "noisy", "folder of the noisy files, with --estimate");
  options.add_shortcut("--out", "out", "folder for the results");
  options.add_list_shortcut("--metrics", "metrics", "what to score, or all");
  return tool.run(argc, argv, [&] {
    EvaluateConfig config;
    if (!options.load(config)) return 0;
    return static_cast<int>(run_evaluation(config, options.check, tool.logger()));
  });
}
