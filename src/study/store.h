#pragma once

#include <filesystem>

#include "limbeck/run/identity.h"
#include "limbeck/study/plan.h"

namespace limbeck {

/// Throws ConfigError if the study's folder is that of a study of another name (study.yaml).
void require_own_folder(const StudyConfig& config, const StudyPlan& plan);

/// Where the run of this identity lies, of whatever study, or will lie: <store>/<hash>.
std::filesystem::path store_folder(const StudyPlan& plan, const Identity& identity);

/// <plan.dir>/<node.id>: a link into the store, or, in studies of older versions, the run itself.
std::filesystem::path node_link(const StudyPlan& plan, const StudyNode& node);

/// Where the run lies that a node's link leads to, or that lies under it itself. Throws DataError
/// for a link that leads nowhere.
std::filesystem::path run_folder(const std::filesystem::path& link);

/// Makes the folder of a run in the store and lets the node's link lead to it; returns the folder,
/// which is that of the run. If the link leads to that run already, be it in another store, all
/// stays as it is; and so does a run of an older study that lies under the link itself, if it is
/// the one that is meant; any other is moved into the store, so that nothing is lost.
///
/// May be called at any time, by several studies and processes at once: it is theirs to hold the
/// run's lock, and two nodes of one identity (a sweep over what does not concern a method) lead to
/// one folder: who finds it locked waits, and finds it done. Killed, it leaves the old link or the
/// new one. Throws DataError.
std::filesystem::path enter_store(const StudyPlan& plan, const StudyNode& node,
                                  const Identity& identity);

/// Removes the node's link; a run that lies under it itself is moved into the store. Throws
/// DataError.
void leave_store(const StudyPlan& plan, const StudyNode& node);

}  // namespace limbeck
