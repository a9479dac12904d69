#include "limbeck/corpus/synthetic.h"

#include <cstdio>
#include <memory>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

void describe(CLI::App& app, SyntheticOptions& options) {
  app.add_option("--out", options.out, "folder to make")->required();
  app.add_option("--minutes", options.minutes, "minutes of speech; half as much noise is made")
      ->capture_default_str();
  app.add_option("--speakers", options.speakers,
                 "number of speakers, an eighth each for valid and test")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "another seed makes another corpus")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

int make(const SyntheticOptions& options, Logger& logger) {
  make_synthetic_corpus(options, logger);
  if (logger.verbosity() != Verbosity::quiet) {
    print("%s: %s min of speech by %d speakers, noise, test pairs, manifest.csv\n", options.out,
          shortest(options.minutes), options.speakers);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

Subcommand synthetic_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand("synthetic", "make a small corpus without any recording");
  auto options = std::make_shared<SyntheticOptions>();
  describe(*app, *options);
  return {app, [options, &shared](Logger& logger) {
            options->threads = shared.threads;
            return make(*options, logger);
          }};
}

}  // namespace limbeck
