#include <memory>

#include "command.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand node_command(CLI::App& parent) {
  struct Arguments {
    std::filesystem::path dir;
    std::string id;
    StudyNodeOptions options;
  };
  CLI::App* app = parent.add_subcommand(
      "node",
      "run one node of the grid in this process, such as runs/width/cosine/seed-1, once what it "
      "needs is done; what `run` does for each of them");
  auto a = std::make_shared<Arguments>();
  add_study_dir(*app, a->dir);
  app->add_option("ID", a->id, "the node, as --dry-run lists it")->required();
  app->add_option("--threads", a->options.threads,
                  "threads of LibTorch in place of the study's; 0: as many as cores");
  app->add_option("--device", a->options.device, "auto, cpu or cuda[:i] in place of the study's");
  app->add_flag("--restart", a->options.restart,
                "train anew what diverged, or is damaged; nothing else");
  return {app, [a](Logger& logger) {
            a->options.command = {this_program(), "node", a->dir, a->id};
            return static_cast<int>(run_study_node(a->dir, a->id, a->options, logger));
          }};
}

}  // namespace limbeck
