#include <memory>

#include "command.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand report_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "report",
      "write tables and figures anew from what is there, and print them; runs nothing, and exits "
      "with 5 if something is missing");
  auto dir = std::make_shared<std::filesystem::path>();
  add_study_dir(*app, *dir);
  return {app, [dir](Logger& logger) { return static_cast<int>(report_study(*dir, logger)); }};
}

}  // namespace limbeck
