// Looks after what trainings have left; tools/runs/ has a file for each subcommand.
#include <CLI/CLI.hpp>
#include <stdexcept>
#include <vector>

#include "common.h"
#include "runs/command.h"

namespace limbeck {
namespace {

const char* const kPurpose =
    "Looks after runs: lists them with their state and best value, shows one, tells two apart, "
    "plots their metrics, and removes what nothing needs any more.";
const char* const kExample =
    "limbeck-runs list\n"
    "  limbeck-runs show runs/teacher\n"
    "  limbeck-runs diff runs/teacher runs/teacher-lr3\n"
    "  limbeck-runs plot runs/teacher runs/student --metrics si_sdr,loss --out curves.svg\n"
    "  limbeck-runs clean runs --dry-run";

// In the order in which --help lists them.
constexpr decltype(&list_command) kCommands[] = {list_command, show_command, diff_command,
                                                 plot_command, clean_command};

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool("limbeck-runs", kPurpose, kExample);
  tool.app.require_subcommand(1);
  tool.app.fallthrough();
  std::vector<Subcommand> commands;
  for (const auto make : kCommands) commands.push_back(make(tool.app));
  return tool.run(argc, argv, [&] {
    for (const Subcommand& command : commands) {
      if (*command.app) return command.run(tool.logger());
    }
    throw std::logic_error("no subcommand ran");
  });
}
