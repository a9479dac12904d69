#include <memory>

#include "command.h"
#include "limbeck/core/format.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand logs_command(CLI::App& parent) {
  struct Arguments {
    std::filesystem::path dir;
    std::string id;
  };
  CLI::App* app = parent.add_subcommand(
      "logs", "where the logs of nodes lie and what each says last; of one node its last lines");
  auto a = std::make_shared<Arguments>();
  add_study_dir(*app, a->dir);
  app->add_option("ID", a->id, "one node");
  return {app, [a](Logger&) {
            print("%s", study_logs(a->dir, a->id));
            return 0;
          }};
}

}  // namespace limbeck
