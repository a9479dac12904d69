#include <memory>

#include "command.h"
#include "limbeck/core/format.h"
#include "limbeck/study/study.h"

namespace limbeck {

Subcommand status_command(CLI::App& parent) {
  CLI::App* app =
      parent.add_subcommand("status", "how a study stands: counts, what runs, what failed and why");
  auto dir = std::make_shared<std::filesystem::path>();
  add_study_dir(*app, *dir);
  return {app, [dir](Logger&) {
            print("%s", study_status(*dir));
            return 0;
          }};
}

}  // namespace limbeck
