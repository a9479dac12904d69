#include <memory>

#include "command.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand retry_command(CLI::App& parent) {
  struct Arguments {
    std::filesystem::path dir;
    StudyRunOptions options;
  };
  CLI::App* app = parent.add_subcommand(
      "retry",
      "go on with a study as it was begun, train anew what diverged or is damaged, and score again "
      "what lacks scores: all of it, or the nodes that are named");
  auto a = std::make_shared<Arguments>();
  add_study_dir(*app, a->dir);
  app->add_option("ID", a->options.retried, "nodes, as status lists them");
  app->add_flag("--fail-fast", a->options.fail_fast, "stop all at the first failure");
  app->add_flag("--yes", a->options.yes, "begin more trainings than study.ask_above");
  return {app, [a](Logger& logger) {
            a->options.retry = true;
            a->options.tool = this_program();
            a->options.ask = asker();
            return static_cast<int>(run_study(read_study(a->dir), a->options, logger));
          }};
}

}  // namespace limbeck
