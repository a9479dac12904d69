#include "limbeck/corpus/voicebank_demand.h"

#include <cstdio>
#include <memory>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

void describe(CLI::App& app, VoiceBankOptions& options) {
  app.add_option("--source", options.source,
                 "folder with clean_trainset_28spk_wav, noisy_trainset_28spk_wav, "
                 "clean_testset_wav, noisy_testset_wav (zip files or folders) and logfiles, as "
                 "scripts/download_voicebank_demand.sh makes it")
      ->required();
  app.add_option("--out", options.out, "folder to make, or to go on with")->required();
  app.add_flag("--allow-partial", options.allow_partial,
               "take what is there; the protocol, and every table, then says so");
}

void tell_of_clipping(const VoiceBankReport& report, Logger& logger) {
  if (report.clipped.empty()) return;
  int64_t samples = 0;
  for (const auto& clipped : report.clipped) samples += clipped.samples;
  std::string text = format(
      "%d samples in %d files were clipped (columns clean_clipped and noisy_clipped):", samples,
      report.clipped.size());
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(kShown, report.clipped.size()); ++i) {
    text += format("\n  %s: %d", report.clipped[i].file, report.clipped[i].samples);
  }
  if (report.clipped.size() > kShown) {
    text += format("\n  and %d more", report.clipped.size() - kShown);
  }
  logger.warn(text);
}

int run(const VoiceBankOptions& options, Logger& logger) {
  const VoiceBankReport report = prepare_voicebank_demand(options, logger);
  for (const Problem& problem : report.problems) {
    logger.error(problem.file + ": " + problem.reason);
  }
  tell_of_clipping(report, logger);
  if (report.source_hz == kVoiceBankHz) {
    logger.warn(
        options.source.string() +
        ": is at 16 kHz already; whoever converted it did so in a way of his own, so that scores "
        "may differ a little from those on what is made of the originals; the protocol says so");
  }
  if (logger.verbosity() != Verbosity::quiet) {
    for (const Manifest& manifest : report.manifests) {
      print("%s: %s\n", manifest.path, summary(manifest));
    }
    print("%s: %d pairs converted, %d kept, %s\n", options.out, report.converted, report.kept,
          !report.locked           ? "no protocol: the set is not whole"
          : report.partial.empty() ? "protocol.yaml locks the whole set"
                                   : ("protocol.yaml locks a PARTIAL set: " + report.partial));
  }
  if (report.problems.empty()) return static_cast<int>(ExitCode::ok);
  logger.warn(format("%d files could not be taken; %s lists them", report.problems.size(),
                     (options.out / "failures.csv")));
  return static_cast<int>(ExitCode::some_failed);
}

}  // namespace

Subcommand voicebank_demand_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand(
      "voicebank-demand",
      "VoiceBank-DEMAND (28 speakers) from 48 kHz (or copies at 16 kHz), split and locked");
  auto options = std::make_shared<VoiceBankOptions>();
  describe(*app, *options);
  return {app, [options, &shared](Logger& logger) {
            options->threads = shared.threads;
            return run(*options, logger);
          }};
}

}  // namespace limbeck
