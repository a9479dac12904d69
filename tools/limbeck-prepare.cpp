// Makes manifests of recordings, of pairs, and a synthetic corpus.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "common.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/prepare.h"
#include "limbeck/data/synthetic.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

const char* const kPurpose =
    "Lists audio files in manifests that the other tools read, or makes a synthetic corpus.";
const char* const kExample =
    "limbeck-prepare recordings corpus/clean --out speech.csv --split-by speaker --valid 8 --test "
    "8\n"
    "  limbeck-prepare recordings corpus/noise --out noise.csv --splits corpus/manifest.csv\n"
    "  limbeck-prepare pairs --clean test/clean --noisy test/noisy --out test.csv\n"
    "  limbeck-prepare synthetic --out corpus --minutes 10";

struct Arguments {
  RecordingsOptions recordings;
  PairsOptions pairs;
  SyntheticOptions synthetic;
  fs::path out;
  std::string speaker = "auto";
  std::string split_by;
  std::string split = "test";
  int64_t rate_hz = 16000;
  int64_t threads = 0;
};

void describe_recordings(CLI::App& app, Arguments& a) {
  app.add_option("DIR", a.recordings.folders,
                 "folders searched for .wav, .flac and .ogg, with subfolders")
      ->required();
  app.add_option("--out", a.out, "manifest to write (CSV)")->required();
  auto* splits =
      app.add_option("--splits", a.recordings.splits,
                     "CSV with columns file (relative to the CSV) and split, and speaker or "
                     "label if known; every file found needs a row");
  auto* by = app.add_option("--split-by", a.split_by, "split by: speaker")
                 ->check(CLI::IsMember({"speaker"}))
                 ->excludes(splits);
  app.add_option("--valid", a.recordings.valid_speakers, "number of speakers for split valid")
      ->check(CLI::NonNegativeNumber)
      ->needs(by);
  app.add_option("--test", a.recordings.test_speakers, "number of speakers for split test")
      ->check(CLI::NonNegativeNumber)
      ->needs(by);
  app.add_option("--seed", a.recordings.seed, "which speakers are drawn")
      ->check(CLI::NonNegativeNumber)
      ->needs(by)
      ->capture_default_str();
}

void describe_pairs(CLI::App& app, Arguments& a) {
  app.add_option("--clean", a.pairs.clean, "folder of clean files")->required();
  app.add_option("--noisy", a.pairs.noisy, "folder of noisy files of the same names")->required();
  app.add_option("--out", a.out, "manifest to write (CSV)")->required();
  app.add_option("--split", a.split, "split of all pairs")
      ->check(CLI::IsMember({"train", "valid", "test"}))
      ->capture_default_str();
}

void describe_synthetic(CLI::App& app, Arguments& a) {
  app.add_option("--out", a.out, "folder to make")->required();
  app.add_option("--minutes", a.synthetic.minutes, "minutes of speech; half as much noise is made")
      ->capture_default_str();
  app.add_option("--speakers", a.synthetic.speakers,
                 "number of speakers, an eighth each for valid and test")
      ->capture_default_str();
  app.add_option("--seed", a.synthetic.seed, "another seed makes another corpus")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void describe_audio(CLI::App& app, Arguments& a) {
  app.add_option(
         "--speaker", a.speaker,
         "speaker from: folder (that holds the file), prefix (of the name, up to _ or -), none, "
         "auto (folder, or prefix for files directly in DIR)")
      ->check(CLI::IsMember({"auto", "folder", "prefix", "none"}))
      ->capture_default_str();
  app.add_option("--rate", a.rate_hz, "sample rate in Hz that every file must have")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

/// Tells of the problems, writes what is good, and returns the exit code.
int finish(const Prepared& prepared, const fs::path& out, Logger& logger) {
  for (const Problem& problem : prepared.problems)
    logger.error(problem.file + ": " + problem.reason);
  const size_t good = prepared.manifest.entries.size();
  const bool pairs = prepared.manifest.kind == Manifest::Kind::pairs;
  if (good == 0) {
    throw DataError(
        format("no usable %s; %s is not written", pairs ? "pair" : "recording", out.c_str()));
  }
  if (out.has_parent_path()) fs::create_directories(out.parent_path());
  prepared.manifest.write(out);
  if (logger.verbosity() != Verbosity::quiet) {
    std::printf("%s: %s\n", out.c_str(), summary(prepared.manifest).c_str());
  }
  if (prepared.problems.empty()) return static_cast<int>(ExitCode::ok);
  logger.warn(format("%zu files were left out; %s lists the others", prepared.problems.size(),
                     out.c_str()));
  return static_cast<int>(ExitCode::some_failed);
}

int make_synthetic(const Arguments& a, Logger& logger) {
  SyntheticOptions options = a.synthetic;
  options.out = a.out;
  options.threads = a.threads;
  make_synthetic_corpus(options, logger);
  if (logger.verbosity() != Verbosity::quiet) {
    std::printf("%s: %s min of speech by %lld speakers, noise, test pairs, manifest.csv\n",
                a.out.c_str(), shortest(options.minutes).c_str(),
                static_cast<long long>(options.speakers));
  }
  return static_cast<int>(ExitCode::ok);
}

int make_recordings(Arguments& a, Logger& logger) {
  a.recordings.split_by_speaker = !a.split_by.empty();
  a.recordings.speaker = speaker_rule(a.speaker);
  a.recordings.rate_hz = a.rate_hz;
  a.recordings.threads = a.threads;
  return finish(prepare_recordings(a.recordings, logger), a.out, logger);
}

int make_pairs(Arguments& a, Logger& logger) {
  parse_split(a.split, a.pairs.split);
  a.pairs.speaker = speaker_rule(a.speaker);
  a.pairs.rate_hz = a.rate_hz;
  a.pairs.threads = a.threads;
  return finish(prepare_pairs(a.pairs, logger), a.out, logger);
}

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  using namespace limbeck;
  Arguments a;
  Tool tool("limbeck-prepare", kPurpose, kExample);
  tool.app.require_subcommand(1);
  tool.app.fallthrough();
  tool.app
      .add_option("--threads", a.threads, "threads that read or make files; 0: as many as cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  auto* recordings = tool.app.add_subcommand("recordings", "list clean speech, or noise");
  auto* pairs = tool.app.add_subcommand("pairs", "list noisy files and their clean partners");
  auto* synthetic =
      tool.app.add_subcommand("synthetic", "make a small corpus without any recording");
  describe_recordings(*recordings, a);
  describe_pairs(*pairs, a);
  describe_synthetic(*synthetic, a);
  describe_audio(*recordings, a);
  describe_audio(*pairs, a);
  return tool.run(argc, argv, [&] {
    try {
      if (*recordings) return make_recordings(a, tool.logger());
      if (*pairs) return make_pairs(a, tool.logger());
      return make_synthetic(a, tool.logger());
    } catch (const fs::filesystem_error& e) {  // a folder that may not be entered or made
      throw DataError(e.path1().string() + ": " + e.code().message());
    }
  });
}
