// Repeats trainings over scenarios, methods and seeds; tools/study/ has a file for each subcommand.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "common.h"
#include "study/command.h"

namespace limbeck {
namespace {

const char* const kPurpose =
    "Trains every scenario x method x seed of a study, each node of the grid in a process of its "
    "own, scores all, and compares the methods.";
const char* const kExample =
    "limbeck-study configs/study/demo.yaml --set study.seeds=[1,2,3,4,5]\n"
    "  limbeck-study run configs/study/demo.yaml --dry-run\n"
    "  limbeck-study status demo/study\n"
    "  limbeck-study node demo/study runs/narrower-latent/cosine/seed-1\n"
    "  limbeck-study logs demo/study\n"
    "  limbeck-study cancel demo/study\n"
    "  limbeck-study retry demo/study\n"
    "  limbeck-study report demo/study";

// In the order in which --help lists them.
constexpr decltype(&run_command) kCommands[] = {
    run_command,     //
    node_command,    //
    status_command,  //
    report_command,  //
    retry_command,   //
    cancel_command,  //
    logs_command,    //
};

/// `limbeck-study CONFIG` means `limbeck-study run CONFIG`: whatever does not begin with a
/// subcommand, or asks about the tool itself.
std::vector<std::string> with_subcommand(std::vector<std::string> arguments, const CLI::App& app) {
  const auto is_general = [](const std::string& argument) {
    return argument == "--quiet" || argument == "--verbose";
  };
  const auto first = std::find_if_not(arguments.begin() + 1, arguments.end(), is_general);
  const bool asks =
      first != arguments.end() && (*first == "--help" || *first == "-h" || *first == "--version");
  const auto is_first = [&](const CLI::App* command) {
    return first != arguments.end() && command->get_name() == *first;
  };
  const bool is_command = !app.get_subcommands(is_first).empty();
  if (!asks && !is_command) arguments.insert(first, "run");
  return arguments;
}

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool("limbeck-study", kPurpose, kExample);
  tool.app.require_subcommand(1);
  tool.app.fallthrough();
  std::vector<Subcommand> commands;
  for (const auto make : kCommands) commands.push_back(make(tool.app));
  std::vector<std::string> arguments = with_subcommand({argv, argv + argc}, tool.app);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  return tool.run(static_cast<int>(pointers.size()), pointers.data(), [&] {
    for (const Subcommand& command : commands) {
      if (*command.app) return command.run(tool.logger());
    }
    throw std::logic_error("no subcommand ran");
  });
}
