#include <memory>

#include "../common.h"
#include "command.h"
#include "limbeck/study/study.h"

namespace limbeck {
namespace {

struct Arguments {
  explicit Arguments(CLI::App& app) : config(app, "study.device") {}
  ConfigOptions config;
  StudyRunOptions run;
};

int run(Arguments& a, Logger& logger) {
  StudyConfig config;
  if (!a.config.load(config)) return 0;
  a.run.tool = this_program();
  a.run.check_only = a.config.check;
  a.run.ask = asker();
  return static_cast<int>(run_study(config, a.run, logger));
}

}  // namespace

Subcommand run_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "run",
      "run what is not done yet of a study and print its tables; `limbeck-study CONFIG` is short "
      "for it. The same command goes on after an interruption; exits with 5 if something failed");
  auto a = std::make_shared<Arguments>(*app);
  a->config.add_number_shortcut("--threads", "study.threads_per_run", "threads of LibTorch");
  a->config.add_number_shortcut("--jobs", "study.jobs", "trainings at a time");
  a->config.add_flag_shortcut("--allow-leak", "study.allow_leak",
                              "go on where a set shares files or speakers with training");
  app->add_flag("--dry-run", a->run.dry_run,
                "print every node with its state, and what the rest costs; write nothing");
  app->add_flag("--fail-fast", a->run.fail_fast, "stop all at the first failure");
  app->add_flag("--restart-changed", a->run.restart_changed,
                "train anew what lies there by another configuration");
  app->add_flag("--yes", a->run.yes, "begin more trainings than study.ask_above");
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
