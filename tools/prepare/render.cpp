#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/corpus/fixed_mixtures.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/mixture.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path recipes;
  std::vector<std::string> speech;
  std::vector<std::string> noise;
  std::string responses;
  std::string split = "test";
  int64_t rate_hz = 16000;
  RenderOptions options;
};

std::vector<ManifestEntry> entries_of(const std::vector<std::string>& manifests, Split split) {
  return joined(read_manifests(manifests, Manifest::Kind::recordings), split).entries;
}

int render(Arguments& a, int64_t threads, Logger& logger) {
  parse_split(a.split, a.options.split);
  a.options.threads = threads;
  std::vector<fs::path> read = {a.recipes, a.responses};
  for (const auto* manifests : {&a.speech, &a.noise}) {
    read.insert(read.end(), manifests->begin(), manifests->end());
  }
  require_inputs_kept({a.options.out / "pairs.csv"}, read);
  const MixtureSources sources = {entries_of(a.speech, a.options.split),
                                  entries_of(a.noise, a.options.split),
                                  find_responses(a.responses, a.options.split, a.rate_hz, &logger)};
  const Manifest manifest =
      render_recipes(read_recipes(a.recipes), sources, static_cast<int>(a.rate_hz),
                     a.recipes.string(), a.options, logger);
  if (logger.verbosity() != Verbosity::quiet) {
    print("%s: %s\n", (a.options.out / "pairs.csv"), summary(manifest));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

Subcommand render_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app =
      parent.add_subcommand("render", "make the mixtures of a file of recipes, as FLAC pairs");
  auto a = std::make_shared<Arguments>();
  app->add_option("RECIPES", a->recipes, "what limbeck-prepare mixtures wrote")->required();
  app->add_option("--speech", a->speech,
                  "manifest of the speech; given again for each of several, in the order in which "
                  "the mixtures were drawn from them")
      ->allow_extra_args(false)
      ->required();
  app->add_option("--noise", a->noise, "manifest of the noise; the same")
      ->allow_extra_args(false)
      ->required();
  app->add_option("--responses", a->responses, "folder or manifest of the impulse responses");
  app->add_option("--split", a->split, "split that the recordings are of, and the pairs will be")
      ->check(CLI::IsMember({"train", "valid", "test"}))
      ->capture_default_str();
  app->add_option("--rate", a->rate_hz, "sample rate in Hz of the recordings")
      ->check(CLI::Range(8000, 192000))
      ->capture_default_str();
  app->add_option("--out", a->options.out, "folder for clean/, noisy/ and pairs.csv")->required();
  return {app, [a, &shared](Logger& logger) { return render(*a, shared.threads, logger); }};
}

}  // namespace limbeck
