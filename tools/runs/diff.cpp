#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/run/run_details.h"

namespace limbeck {
namespace {

struct Arguments {
  std::filesystem::path a, b;
  bool json = false;
};

void print_differences(const std::string& what, const std::vector<std::string>& differences) {
  print("%s:%s\n", what, differences.empty() ? " no differences" : "");
  for (const std::string& one : differences) print("  %s\n", one);
}

int run(const Arguments& arguments) {
  const RunDifferences found = compare_runs(arguments.a, arguments.b);
  if (arguments.json) {
    const nlohmann::json object = {{"identity", found.identity},
                                   {"environment", found.environment}};
    print("%s\n", json_text(object, 2));
    return 0;
  }
  print_differences("what determines their results", found.identity);
  print_differences("where and on what they were trained", found.environment);
  return 0;
}

}  // namespace

Subcommand diff_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "diff",
      "what two runs differ in: options, data and teacher, which determine the results, and the "
      "environments; 'first → second'");
  auto a = std::make_shared<Arguments>();
  app->add_option("A", a->a, "folder of a run")->required();
  app->add_option("B", a->b, "folder of another one")->required();
  app->add_flag("--json", a->json, "one JSON object instead of text");
  return {app, [a](Logger&) { return run(*a); }};
}

}  // namespace limbeck
