#include <filesystem>
#include <memory>
#include <string>

#include "command.h"
#include "listing.h"

namespace limbeck {
namespace {

struct Arguments {
  PairsOptions pairs;
  std::filesystem::path out;
  std::string split = "test";
};

void describe(CLI::App& app, Arguments& a) {
  app.add_option("--clean", a.pairs.clean, "folder of clean files")->required();
  app.add_option("--noisy", a.pairs.noisy, "folder of noisy files of the same names")->required();
  app.add_option("--out", a.out, "manifest to write (CSV)")->required();
  app.add_option("--split", a.split, "split of all pairs")
      ->check(CLI::IsMember({"train", "valid", "test"}))
      ->capture_default_str();
  describe_audio(app, a.pairs.speaker, a.pairs.rate_hz, a.pairs.copies);
}

}  // namespace

Subcommand pairs_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand("pairs", "list noisy files and their clean partners");
  auto a = std::make_shared<Arguments>();
  describe(*app, *a);
  return {app, [a, &shared](Logger& logger) {
            require_table(a->out, {});
            parse_split(a->split, a->pairs.split);
            a->pairs.threads = shared.threads;
            return write_listing(prepare_pairs(a->pairs, logger), a->out, logger);
          }};
}

}  // namespace limbeck
