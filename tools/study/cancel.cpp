#include <memory>

#include "command.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand cancel_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "cancel", "interrupt the process that runs a study, and wait until its trainings have saved");
  auto dir = std::make_shared<std::filesystem::path>();
  add_study_dir(*app, *dir);
  return {app, [dir](Logger& logger) {
            cancel_study(*dir, logger);
            return 0;
          }};
}

}  // namespace limbeck
