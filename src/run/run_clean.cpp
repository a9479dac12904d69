#include "limbeck/run/run_clean.h"

#include <algorithm>
#include <iterator>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/leftovers.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_summary.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

void add(const fs::path& path, const std::string& why, std::vector<Removable>& items) {
  items.push_back({path, why, size_on_disk(path)});
}

void add_leftovers(const fs::path& folder, std::vector<Removable>& items) {
  for (const fs::path& left : stale_entries(folder)) {
    add(left, "left half made by a process that is gone", items);
  }
  for (const fs::path& entry : entries_of(folder)) {
    std::error_code unknown;
    const auto kind = fs::symlink_status(entry, unknown).type();
    if (kind == fs::file_type::directory && !is_temporary(entry)) add_leftovers(entry, items);
  }
}

/// Why older checkpoints may be needed; empty if they are not.
std::string why_needed(const RunView& run, const std::vector<fs::path>& checkpoints) {
  const bool is_validated =
      std::any_of(checkpoints.begin(), checkpoints.end(),
                  [](const fs::path& one) { return validation_of(one).has_value(); });
  for (const char* which : {"last", "best"}) {
    const auto pointed = run.pointed(which);
    if (!pointed) {
      // Before the first validation there is no best one.
      if (std::string(which) == "best" && !is_validated) continue;
      return std::string(which) + ".json is missing or malformed";
    }
    const std::string wrong = check_checkpoint(*pointed);
    if (!wrong.empty()) return std::string("its ") + which + " checkpoint is damaged: " + wrong;
  }
  return "";
}

/// Why a run without a checkpoint may be more than that; empty if it is not.
std::string why_not_empty(const fs::path& run) {
  for (const char* pointer : {"last.json", "best.json"}) {
    if (lies_there(run / pointer)) {
      return std::string(pointer) + " is there: its checkpoints may lie on another disk";
    }
  }
  for (fs::recursive_directory_iterator entry(run), end; entry != end; ++entry) {
    if (entry->is_directory() && RunView(entry->path()).exists()) {
      return "it holds another run, " + entry->path().string();
    }
  }
  return "";
}

void add_whole(const RunView& run, const fs::path& path, RunCleaning& cleaning) {
  const std::string why = on_disk([&] { return why_not_empty(path); });
  if (!why.empty()) {
    cleaning.kept = "has no checkpoint, but is kept, as " + why;
    return;
  }
  add(path, format("the whole run: no checkpoint, step %d", run.progress()), cleaning.items);
  cleaning.items.back().whole_run = true;
}

}  // namespace

RunCleaning find_removable(const fs::path& path, bool empty) {
  const RunView run(path);
  RunCleaning cleaning;
  auto checkpoints = checkpoint_folders(path);
  if (checkpoints.empty() && empty && run.has_identity()) {
    add_whole(run, path, cleaning);
    return cleaning;
  }
  add_leftovers(path, cleaning.items);
  const auto best = run.pointed("best"), last = run.pointed("last");
  const auto all = checkpoints;
  std::erase_if(checkpoints, [&](const fs::path& one) { return one == best || one == last; });
  if (checkpoints.empty()) return cleaning;
  // A process that is killed between saving and pointing leaves a newer one than is pointed to.
  if (const auto taken = run.checkpoint("last")) std::erase(checkpoints, *taken);
  if (const std::string why = why_needed(run, all); !why.empty()) {
    cleaning.kept = "all its checkpoints are kept, as " + why;
    return cleaning;
  }
  for (const fs::path& one : checkpoints) add(one, "neither best nor last", cleaning.items);
  return cleaning;
}

uint64_t clean_run(const fs::path& run, const std::vector<Removable>& items, bool empty,
                   Logger& logger) {
  std::vector<Removable> there;
  std::copy_if(items.begin(), items.end(), std::back_inserter(there),
               [](const Removable& item) { return is_there(item.path); });
  const DirectoryLock lock(run, &logger);  // which removes some of what the dead left
  const auto still = find_removable(run, empty).items;
  uint64_t freed = 0;
  for (const Removable& item : there) {
    throw_if_interrupted();
    const bool may_go = std::any_of(still.begin(), still.end(),
                                    [&](const Removable& one) { return one.path == item.path; });
    if (may_go) remove_at_once(item.path);
    if (!is_there(item.path)) freed += item.bytes;
  }
  return freed;
}

}  // namespace limbeck
