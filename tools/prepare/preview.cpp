#include "limbeck/corpus/preview.h"

#include <cstdio>
#include <memory>

#include "../common.h"
#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/file_check.h"
#include "limbeck/train/config.h"

namespace limbeck {
namespace {

struct Arguments {
  std::unique_ptr<ConfigOptions> config;
  PreviewOptions preview;
};

int run(Arguments& a, Logger& logger) {
  TrainingConfig config;
  if (!a.config->load(config)) return static_cast<int>(ExitCode::ok);
  a.preview.batch_size = config.train.batch_size;
  a.preview.seed = static_cast<uint64_t>(config.run.seed);
  if (a.config->check) {
    require_files(files_of(config.data, select_data(config.data)), logger);
    return static_cast<int>(ExitCode::ok);
  }
  write_preview(config.data, a.preview, logger);
  if (logger.verbosity() != Verbosity::quiet) {
    print("%s: %d examples\n", (a.preview.out / "index.html"), a.preview.count);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

Subcommand preview_command(CLI::App& parent, const SharedOptions&) {
  CLI::App* app = parent.add_subcommand(
      "preview", "write the first training examples of a configuration, to hear and to see");
  auto a = std::make_shared<Arguments>();
  a->config = std::make_unique<ConfigOptions>(*app, "run.device");
  app->add_option("--n", a->preview.count, "number of examples")
      ->check(CLI::Range(1, 99))
      ->capture_default_str();
  app->add_option("--out", a->preview.out, "folder for index.html and its WAV and PNG files")
      ->capture_default_str();
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
