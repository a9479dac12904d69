#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "../common.h"
#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/corpus/fixed_mixtures.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/selection.h"
#include "limbeck/train/config.h"
#include "listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::unique_ptr<ConfigOptions> config;
  std::string split = "valid";
  int64_t count = 0;
  fs::path out;
};

/// Of all values, among which are the files that are read: not so recipes, which may be made again.
void add_texts(const config::Node& node, std::vector<fs::path>& texts) {
  texts.emplace_back(node.scalar);
  for (const config::Node& item : node.items) add_texts(item, texts);
  for (const auto& entry : node.entries) {
    if (entry.key != "valid_recipes" && entry.key != "type") add_texts(entry.value, texts);
  }
}

int write_mixtures(const Arguments& a, int64_t threads, Logger& logger) {
  TrainingConfig config;
  if (!a.config->load(config)) return static_cast<int>(ExitCode::ok);
  Split split{};
  parse_split(a.split, split);
  const DataSelection data = select_data(config.data);
  if (!data.of(split).pairs.empty()) {
    throw DataError("split " + a.split +
                    " holds recorded pairs; mixtures are made of speech and noise");
  }
  tell_of_response_folders(config.data, logger);
  const auto dataset = make_fixed_dataset(config.data, data, split);
  if (a.config->check) {
    std::vector<NamedFile> files;
    add_files(data.of(split), files);
    require_files(files, logger);
    return static_cast<int>(ExitCode::ok);
  }
  if (a.out.empty()) throw ConfigError("--out is required: the file of recipes to write");
  std::vector<fs::path> read;
  add_texts(config::to_node(config.data), read);
  require_table(a.out, read);
  require_sound(data, split);
  const auto recipes = draw_recipes(*dataset, a.count,
                                    static_cast<uint64_t>(config.data.valid_seed), threads, logger);
  make_folder(a.out.parent_path());
  write_recipes(a.out, recipes);
  print_about(a.out, format("%s: recipes of %d mixtures", a.out, recipes.size()), logger);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

Subcommand mixtures_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand(
      "mixtures", "write the recipes of a fixed set of mixtures, drawn as a configuration says");
  auto a = std::make_shared<Arguments>();
  a->config = std::make_unique<ConfigOptions>(*app, "run.device");
  app->add_option("--split", a->split, "split whose speech and noise are mixed")
      ->check(CLI::IsMember({"train", "valid", "test"}))
      ->capture_default_str();
  app->add_option("--count", a->count, "number of mixtures; 0: one of each recording of speech")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--out", a->out, "file of recipes to write (CSV)");
  return {app, [a, &shared](Logger& logger) { return write_mixtures(*a, shared.threads, logger); }};
}

}  // namespace limbeck
