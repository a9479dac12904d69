#include "limbeck/corpus/doctor.h"

#include <cstdio>
#include <memory>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// The list of what is wrong goes to standard output: it is what was asked for.
int run(const std::filesystem::path& path, int64_t threads, Logger& logger) {
  const Checkup checkup = check_data(path, threads, logger);
  for (const std::string& remark : checkup.remarks) logger.info(remark);
  for (const std::string& fault : checkup.faults) print("WRONG %s\n", fault);
  for (const Problem& problem : checkup.problems) {
    print("WRONG %s: %s\n", problem.file, problem.reason);
  }
  const std::string looked_at = format("%d entries, %d files, %s of audio", checkup.entries,
                                       checkup.files, duration_text(checkup.seconds));
  if (checkup.faults.empty() && checkup.problems.empty()) {
    if (logger.verbosity() != Verbosity::quiet) {
      print("%s: sound: %s\n", checkup.subject, looked_at);
    }
    return static_cast<int>(ExitCode::ok);
  }
  print("%s: NOT sound: %d faults of the set, %d of files (%s)\n", checkup.subject,
        checkup.faults.size(), checkup.problems.size(), looked_at);
  return static_cast<int>(checkup.faults.empty() ? ExitCode::some_failed : ExitCode::data);
}

}  // namespace

Subcommand doctor_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand(
      "doctor",
      "check a data set again: files, hashes, lengths, splits; exits with 5 if files are wrong, "
      "with 3 if the set is");
  auto path = std::make_shared<std::filesystem::path>();
  app->add_option("PATH", *path,
                  "folder with protocol.yaml, a protocol (.yaml), or a manifest (.csv)")
      ->required();
  return {app, [path, &shared](Logger& logger) { return run(*path, shared.threads, logger); }};
}

}  // namespace limbeck
