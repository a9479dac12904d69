#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/run/run_details.h"

namespace limbeck {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

void print_section(const std::string& title, const Lines& lines) {
  if (lines.empty()) return;
  size_t width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, name.size());
  print("\n%s\n", title);
  for (const auto& [name, text] : lines) {
    print("  %s%s  %s\n", name, std::string(width - name.size(), ' '), text);
  }
}

Lines facts_of(const RunDetails& details) {
  const RunSummary& run = details.summary;
  Lines facts = {{"state", to_string(run.state)}, {"kind", run.kind}};
  facts.emplace_back("step", format("%d of %d", run.step, run.planned));
  if (run.skipped > 0) {
    facts.emplace_back("SKIPPED", format("%d steps, as loss or gradient was not finite; the "
                                         "weights are those without them",
                                         run.skipped));
  }
  if (run.best) {
    facts.emplace_back(
        "best", format("%s %.5g at step %d", run.best->metric, run.best->value, run.best->step));
  }
  facts.emplace_back("trained", duration_text(run.seconds));
  facts.emplace_back("last change", time_text(run.changed));
  facts.emplace_back("size", size_text(run.bytes));
  facts.emplace_back("identity", details.hash);
  if (!details.diverged.empty()) facts.emplace_back("diverged", details.diverged);
  return facts;
}

std::string checkpoints_table(const RunDetails& details) {
  std::vector<std::vector<std::string>> rows;
  for (const CheckpointDetails& one : details.checkpoints) {
    const std::string mark =
        one.is_best ? (one.is_last ? "best, last" : "best") : (one.is_last ? "last" : "");
    rows.push_back({one.name, mark, one.wrong.empty() ? "sound" : "DAMAGED: " + one.wrong,
                    one.value ? format("%.5g", *one.value) : "", size_text(one.bytes)});
  }
  const auto& best = details.summary.best;
  return markdown_table({"checkpoint", "is", "files", best ? best->metric : "value", "size"}, rows,
                        3);
}

int run(const std::filesystem::path& path, Logger& logger) {
  const RunDetails details = inspect_run(path);
  print("%s\n", path);
  print_section("how it stands", facts_of(details));
  print_section("what determines its results", details.identity);
  print_section("where and on what", details.environment);
  if (!details.checkpoints.empty()) print("\n%s", checkpoints_table(details));
  for (const auto& [split, values] : details.last_values) {
    Lines lines;
    for (const auto& [key, value] : values) lines.emplace_back(key, format("%.5g", value));
    print_section("last line of split " + split, lines);
  }
  print("\nhow to go on\n  %s\n", details.next);
  for (const std::string& problem : details.summary.problems) {
    logger.error(path.string() + ": " + problem);
  }
  return static_cast<int>(details.summary.problems.empty() ? ExitCode::ok : ExitCode::some_failed);
}

}  // namespace

Subcommand show_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "show",
      "all about one run: state, what determines its results, environment, checkpoints (each read "
      "whole), last metrics, and how to go on; exits with 5 if it is damaged");
  auto path = std::make_shared<std::filesystem::path>();
  app->add_option("RUN", *path, "folder of a run")->required();
  return {app, [path](Logger& logger) { return run(*path, logger); }};
}

}  // namespace limbeck
