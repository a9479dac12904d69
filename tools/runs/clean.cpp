#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/lock.h"
#include "limbeck/core/table.h"
#include "limbeck/run/run_clean.h"
#include "limbeck/run/run_summary.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path folder = "runs";
  bool empty = false;
  bool dry_run = false;
  bool yes = false;
};

struct Found {
  std::vector<std::pair<fs::path, std::vector<Removable>>> runs;
  std::vector<std::string> problems;
  uint64_t bytes = 0;
  int whole_runs = 0;
};

Found find_all(const Arguments& a, Logger& logger) {
  Found found;
  for (const fs::path& run : find_runs(a.folder, found.problems)) {
    try {
      if (is_locked(run)) {
        logger.info(run.string() + ": is in use, and left alone");
        continue;
      }
      RunCleaning cleaning = find_removable(run, a.empty);
      if (!cleaning.kept.empty()) {
        logger.warn(run.string() + ": " + cleaning.kept);
      }
      for (const Removable& item : cleaning.items) {
        found.bytes += item.bytes;
        found.whole_runs += item.whole_run ? 1 : 0;
      }
      if (!cleaning.items.empty()) found.runs.emplace_back(run, std::move(cleaning.items));
    } catch (const Error& e) {
      found.problems.push_back(e.what());
    }
  }
  return found;
}

std::string table_of(const Found& found) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [run, items] : found.runs) {
    for (const Removable& item : items) {
      rows.push_back({item.path.string(), item.why, size_text(item.bytes)});
    }
  }
  return markdown_table({"could go", "as it is", "size"}, rows, 2);
}

/// Waits for a line at the terminal; "y" and "yes" are agreed to.
bool agrees(const std::string& question) {
  print("%s [y/N] ", question);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (::poll(&input, 1, -1) <= 0) throw_if_interrupted();
  char answer[16] = "";
  const ssize_t size = ::read(STDIN_FILENO, answer, sizeof answer);
  throw_if_interrupted();
  const std::string word(answer, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return word == "y\n" || word == "Y\n" || word == "yes\n";
}

int report(const std::vector<std::string>& problems, Logger& logger) {
  for (const std::string& problem : problems) logger.error(problem);
  return static_cast<int>(problems.empty() ? ExitCode::ok : ExitCode::some_failed);
}

int run(const Arguments& a, Logger& logger) {
  Found found = find_all(a, logger);
  if (found.runs.empty()) {
    logger.info(a.folder.string() + ": nothing could go");
    return report(found.problems, logger);
  }
  print("%s\n", table_of(found));
  if (a.dry_run) {
    print("%s could be freed\n", size_text(found.bytes));
    return report(found.problems, logger);
  }
  if (!a.yes && ::isatty(STDIN_FILENO) == 0) {
    throw ConfigError("nobody is there to ask: give --yes to remove these, or --dry-run");
  }
  const std::string whole =
      found.whole_runs > 0 ? format(", with %d whole runs", found.whole_runs) : "";
  if (!a.yes && !agrees(format("remove these%s, %s?", whole, size_text(found.bytes)))) {
    print("nothing was removed\n");
    return report(found.problems, logger);
  }
  uint64_t freed = 0;
  for (const auto& [run, items] : found.runs) {
    try {
      freed += clean_run(run, items, a.empty, logger);
    } catch (const Error& e) {
      found.problems.push_back(e.what());
    }
  }
  print("freed %s\n", size_text(freed));
  return report(found.problems, logger);
}

}  // namespace

Subcommand clean_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "clean",
      "lists what nothing needs any more, and asks before it is removed: checkpoints other than "
      "the best and the last, and what killed processes left half made. Runs in training are left "
      "alone");
  auto a = std::make_shared<Arguments>();
  app->add_option("DIR", a->folder, "folder that holds runs, or folders of runs, or is one")
      ->capture_default_str();
  app->add_flag("--empty", a->empty, "also the whole folders of runs that never had a checkpoint");
  auto* dry_run = app->add_flag("--dry-run", a->dry_run, "list, and remove nothing");
  app->add_flag("--yes", a->yes, "remove without asking")->excludes(dry_run);
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
