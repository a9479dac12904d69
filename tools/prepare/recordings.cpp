#include <filesystem>
#include <memory>
#include <string>

#include "command.h"
#include "listing.h"

namespace limbeck {
namespace {

struct Arguments {
  RecordingsOptions recordings;
  std::filesystem::path out;
  std::string split_by;
};

void describe(CLI::App& app, Arguments& a) {
  app.add_option(
         "DIR", a.recordings.folders,
         "folders searched for audio files (.wav, .flac, .ogg, .mp3, .aiff, …), with subfolders")
      ->required();
  app.add_option("--out", a.out, "manifest to write (CSV)")->required();
  auto* splits =
      app.add_option("--splits", a.recordings.splits,
                     "CSV with columns file (relative to the CSV) and split, and speaker or "
                     "label if known; given again for each of several; every file found needs a "
                     "row in one of them")
          ->allow_extra_args(false);
  auto* by = app.add_option("--split-by", a.split_by,
                            "draw for valid and test: speaker, or file "
                            "(cuts of one recording may then lie on both sides)")
                 ->check(CLI::IsMember({"speaker", "file"}))
                 ->excludes(splits);
  app.add_option("--valid", a.recordings.valid_count,
                 "number of speakers, or files, for split valid")
      ->check(CLI::NonNegativeNumber)
      ->needs(by);
  app.add_option("--test", a.recordings.test_count, "number of speakers, or files, for split test")
      ->check(CLI::NonNegativeNumber)
      ->needs(by);
  app.add_option("--seed", a.recordings.seed, "which of them are drawn")
      ->check(CLI::NonNegativeNumber)
      ->needs(by)
      ->capture_default_str();
  describe_audio(app, a.recordings.speaker, a.recordings.rate_hz, a.recordings.copies);
}

}  // namespace

Subcommand recordings_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand("recordings", "list clean speech, or noise");
  auto a = std::make_shared<Arguments>();
  describe(*app, *a);
  return {app, [a, &shared](Logger& logger) {
            require_table(a->out, a->recordings.splits);
            a->recordings.split_by = a->split_by.empty()     ? SplitBy::nothing
                                     : a->split_by == "file" ? SplitBy::file
                                                             : SplitBy::speaker;
            a->recordings.threads = shared.threads;
            return write_listing(prepare_recordings(a->recordings, logger), a->out, logger);
          }};
}

}  // namespace limbeck
