#pragma once

#include "common.h"
#include "limbeck/train/session.h"

namespace limbeck {

/// How the run in run.dir is begun, or gone on with.
inline void add_session_options(CLI::App& app, SessionOptions& session) {
  auto* restart = app.add_flag("--restart", session.restart,
                               "remove what an earlier run left in run.dir and start over");
  auto* extend = app.add_flag("--extend", session.extend,
                              "go on with a run that was planned for fewer steps or epochs");
  auto* fork = app.add_option("--fork", session.fork,
                              "begin run.dir with the last checkpoint of another run's folder, "
                              "under this configuration");
  auto* which =
      app.add_option("--which", session.which, "checkpoint that --fork begins with: last or best");
  extend->excludes(restart)->excludes(fork);
  which->check(CLI::IsMember({"last", "best"}))->needs(fork);
}

}  // namespace limbeck
