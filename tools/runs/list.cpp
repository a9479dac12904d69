#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/json.h"
#include "limbeck/core/table.h"
#include "limbeck/metric/metric.h"
#include "limbeck/run/run_summary.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path folder = "runs";
  std::string sort = "name";
  bool json = false;
};

std::set<std::string> lower_is_better() {
  std::set<std::string> names = {"loss"};
  for (const Metric& metric : build_metrics({"all"})) {
    if (!metric.higher_is_better) names.insert(metric.name);
  }
  return names;
}

std::string steps_text(const RunSummary& run) {
  std::string text = std::to_string(run.step);
  if (run.planned > 0) text += format("/%d", run.planned);
  return run.skipped > 0 ? text + format(" (%d SKIPPED)", run.skipped) : text;
}

std::string table_of(const std::vector<RunSummary>& runs) {
  std::vector<std::vector<std::string>> rows;
  for (const RunSummary& run : runs) {
    const auto& best = run.best;
    const std::string state = run.problems.empty() ? "" : ", DAMAGED";
    rows.push_back({run.name, to_string(run.state) + state, run.kind, steps_text(run),
                    best ? format("%s %.4g", best->metric, best->value) : "",
                    best ? std::to_string(best->step) : "", duration_text(run.seconds),
                    time_text(run.changed), size_text(run.bytes)});
  }
  return markdown_table(
      {"run", "state", "kind", "step", "best", "at step", "trained", "last change", "size"}, rows,
      3);
}

std::string json_of(const std::vector<RunSummary>& runs) {
  nlohmann::json all = nlohmann::json::array();
  for (const RunSummary& run : runs) {
    nlohmann::json best;
    if (run.best) {
      best = {{"metric", run.best->metric}, {"value", run.best->value}, {"step", run.best->step}};
    }
    all.push_back({{"name", run.name},
                   {"path", run.path.string()},
                   {"state", to_string(run.state)},
                   {"kind", run.kind},
                   {"step", run.step},
                   {"planned_steps", run.planned},
                   {"best", best},
                   {"skipped", run.skipped},
                   {"seconds", run.seconds},
                   {"changed", std::chrono::system_clock::to_time_t(run.changed)},
                   {"bytes", run.bytes},
                   {"problems", run.problems}});
  }
  // A folder's name need not be UTF-8.
  return json_text(all, 2) + "\n";
}

int run(const Arguments& a, Logger& logger) {
  std::vector<std::string> problems;
  std::vector<RunSummary> runs;
  for (const fs::path& path : find_runs(a.folder, problems)) {
    throw_if_interrupted();
    const std::string name = path.lexically_relative(a.folder).generic_string();
    runs.push_back(summarize_run(path, name == "." ? path.string() : name));
    for (const std::string& problem : runs.back().problems) {
      problems.push_back(path.string() + ": " + problem);
    }
  }
  sort_runs(runs, a.sort, lower_is_better());
  if (a.json) {
    print("%s", json_of(runs));
  } else if (runs.empty()) {
    logger.info(a.folder.string() + ": no run lies here");
  } else {
    print("%s", table_of(runs));
  }
  for (const std::string& problem : problems) logger.error(problem);
  return static_cast<int>(problems.empty() ? ExitCode::ok : ExitCode::some_failed);
}

}  // namespace

Subcommand list_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "list",
      "all runs below a folder; exits with 5 if some are damaged or cannot be read, and tells what "
      "is wrong. Reads little and writes nothing");
  auto a = std::make_shared<Arguments>();
  app->add_option("DIR", a->folder, "folder that holds runs, or folders of runs, or is one")
      ->capture_default_str();
  app->add_option("--sort", a->sort,
                  "name, state, step, best (the best first), time, changed or size")
      ->check(CLI::IsMember({"name", "state", "step", "best", "time", "changed", "size"}))
      ->capture_default_str();
  app->add_flag("--json", a->json, "a list of JSON objects instead of a table");
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
