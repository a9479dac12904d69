#include "study/store.h"

#include <optional>
#include <vector>

#include "limbeck/config/reader.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

bool is_link(const fs::path& path) { return fs::is_symlink(fs::symlink_status(path)); }
bool lies_there(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

/// Of the run that a folder holds; nothing where it has none that can be read.
std::optional<Identity> identity_in(const fs::path& run) {
  try {
    return RunView(run).identity();
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Moves a run of an older study into the store, under what it is known by, whatever that is.
void move_into_store(const StudyPlan& plan, const fs::path& run) {
  const auto identity = identity_in(run);
  const fs::path wanted = plan.store / (identity ? identity->hash() : "unknown");
  fs::create_directories(plan.store);
  fs::path folder = wanted;
  for (int i = 2; lies_there(folder); ++i) folder = format("%s.%d", wanted, i);
  fs::rename(run, folder);
}

/// Of other nodes, and the folders that hold nothing else. Throws where there is anything else.
void remove_links(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  for (const fs::path& entry : entries) {
    if (is_link(entry)) {
      fs::remove(entry);
    } else if (fs::is_directory(entry)) {
      remove_links(entry);
    }
  }
  fs::remove(folder);
}

/// Lets nothing lie under the link's path, and loses nothing.
void clear(const StudyPlan& plan, const fs::path& link) {
  if (is_link(link)) {
    fs::remove(link);
  } else if (RunView(link).exists()) {
    move_into_store(plan, link);
  } else if (lies_there(link)) {
    remove_links(link);  // "teachers/t" of "teachers/t/seed-1"
  }
}

/// Where an id has become a folder of others: "teachers/t", then "teachers/t/seed-1".
void clear_way(const StudyPlan& plan, const fs::path& link) {
  fs::path folder = plan.dir;
  for (const fs::path& part : link.lexically_relative(plan.dir).parent_path()) {
    folder /= part;
    if (is_link(folder) || identity_in(folder)) clear(plan, folder);
  }
}

/// The old link or the new one is there at any time.
void put_link(const fs::path& link, const fs::path& folder) {
  const fs::path target =
      fs::canonical(folder).lexically_relative(fs::canonical(link.parent_path()));
  if (is_link(link) && fs::read_symlink(link) == target) return;
  remove_stale_siblings(link);
  const fs::path aside = temporary_sibling(link);
  fs::create_directory_symlink(target, aside);
  fs::rename(aside, link);
}

}  // namespace

void require_own_folder(const StudyConfig& config, const StudyPlan& plan) {
  const fs::path file = plan.dir / "study.yaml";
  if (!on_disk([&] { return fs::exists(file); })) return;
  config::Diagnostics ignored;
  const config::Node there = config::parse_yaml(read_file(file), file.string(), ignored);
  const config::Node* study = there.is_map() ? there.find("study") : nullptr;
  const config::Node* name = study != nullptr && study->is_map() ? study->find("name") : nullptr;
  if (name == nullptr || name->scalar == config.study.name) return;
  throw ConfigError(format("%s: is the folder of study '%s', not of '%s'; give another study.dir",
                           plan.dir, name->scalar, config.study.name));
}

fs::path store_folder(const StudyPlan& plan, const Identity& identity) {
  return plan.store / identity.hash();
}

fs::path node_link(const StudyPlan& plan, const StudyNode& node) { return plan.dir / node.id; }

fs::path run_folder(const fs::path& link) {
  return on_disk([&] { return is_link(link) ? fs::canonical(link) : link; });
}

fs::path enter_store(const StudyPlan& plan, const StudyNode& node, const Identity& identity) {
  return on_disk([&] {
    const fs::path link = node_link(plan, node);
    clear_way(plan, link);
    fs::create_directories(link.parent_path());
    const auto there = identity_in(link);
    if (there && *there == identity) return run_folder(link);
    if (!is_link(link)) clear(plan, link);
    const fs::path folder = store_folder(plan, identity);
    fs::create_directories(folder);
    put_link(link, folder);
    return folder;
  });
}

void leave_store(const StudyPlan& plan, const StudyNode& node) {
  on_disk([&] { clear(plan, node_link(plan, node)); });
}

}  // namespace limbeck
