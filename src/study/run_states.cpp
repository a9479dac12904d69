#include "study/run_states.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/lock.h"
#include "limbeck/eval/job.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"
#include "study/folder_name.h"
#include "study/node_config.h"
#include "study/search.h"
#include "study/store.h"
#include "study/undefined_scores.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// The teacher that a stored identity names.
config::Node teacher_in(const Identity& identity) {
  const config::Node* teacher = identity.facts().find("teacher");
  const config::Node* model = teacher ? teacher->find("model") : nullptr;
  return model ? *model : config::Node();
}

/// It has no checkpoint, sound or not, or diverged.
bool came_to_nothing(const RunView& run) {
  if (run.diverged()) return true;
  const RunView::Found last = run.look_for("last");
  return !last.folder && last.unusable.empty();
}

/// A run that is known to be the one planned. Throws Error where it cannot be read.
NodeState state_of_own(const RunView& run) {
  // Its files come and go; the node that is begun for it waits for that process.
  if (is_locked(run.path())) return NodeState::to_resume;
  if (run.diverged()) return NodeState::diverged;
  const RunView::Found last = run.look_for("last");
  if (!last.folder && !last.unusable.empty()) {
    throw CheckpointError(run.path().string() +
                          ": no checkpoint is sound: " + join(last.unusable, "; "));
  }
  if (!run.finished(last)) return NodeState::to_resume;
  if (run.pointed("best") != last.folder) run.model_file("best");  // else it is sound, as seen
  return NodeState::done;
}

/// What lies in a folder of the store, whose name says what it is.
NodeStanding standing_in_store(const fs::path& folder, const Identity& planned) {
  const RunView run(folder);
  if (!run.exists()) return {NodeState::to_run};
  const auto differences = run.identity().differences(planned);
  if (!differences.empty()) return {NodeState::damaged, differences};
  return {state_of_own(run)};
}

/// What the link leads to, if it is something else than what is planned: `changed`, or
/// `to_run_anew` if it came to nothing, or `damaged`. Nothing where it is the same. `is_waiting`:
/// for its teacher.
std::optional<NodeStanding> other_behind(const RunView& run, Identity planned, bool is_waiting) {
  const auto other = [&] {
    return came_to_nothing(run) ? NodeState::to_run_anew : NodeState::changed;
  };
  std::optional<Identity> stored;
  try {
    stored = run.identity();
  } catch (const Error& e) {  // where there is none, it is of an older version
    const bool is_damaged = run.has_identity() && !came_to_nothing(run);
    return NodeStanding{is_damaged ? NodeState::damaged : other(), {e.what()}};
  }
  if (is_waiting) planned.set(kTeacherKey, teacher_in(*stored));
  auto differences = stored->differences(planned);
  if (differences.empty()) return std::nullopt;
  return NodeStanding{other(), std::move(differences)};
}

/// The node's link leads to this run, or it lies there itself.
NodeStanding standing_of(const fs::path& link, const fs::path& folder, const Identity& planned) {
  const RunView linked(link);
  NodeStanding anew;
  if (linked.exists()) {
    const auto other = other_behind(linked, planned, false);
    if (!other) return {state_of_own(linked), {}, planned, run_folder(link)};
    if (other->state != NodeState::to_run_anew)
      return {other->state, other->reasons, planned, folder};
    anew = *other;
  }
  NodeStanding standing = standing_in_store(folder, planned);
  if (standing.state == NodeState::to_run && linked.exists()) standing = anew;
  standing.identity = planned;
  standing.folder = folder;
  return standing;
}

constexpr const char* kFilled = "filled.json";

}  // namespace

const char* to_string(NodeState state) {
  switch (state) {
    case NodeState::waiting:
      return "waiting";
    case NodeState::to_run:
      return "to run";
    case NodeState::to_run_anew:
      return "to run anew";
    case NodeState::to_resume:
      return "to resume";
    case NodeState::done:
      return "done";
    case NodeState::diverged:
      return "diverged";
    case NodeState::damaged:
      return "damaged";
    case NodeState::changed:
      return "changed";
  }
  return "";
}

RunStates::RunStates(const StudyConfig& config, const StudyPlan& plan)
    : config_(config), plan_(plan), metrics_(build_metrics(config.study.metrics)) {}

const std::map<std::string, std::string>& RunStates::data_content(const DataOptions& options) {
  const std::string key = config::to_yaml(config::to_node(options));
  const auto found = data_contents_.find(key);
  if (found != data_contents_.end()) return found->second;
  return data_contents_[key] = content_of(options);
}

const std::string& RunStates::init_hash(const TrainOptions& options) {
  const auto found = init_hashes_.find(options.init);
  if (found != init_hashes_.end()) return found->second;
  const auto init = find_init(options);
  return init_hashes_[options.init] = init ? init->hash : "";
}

const TestSet& RunStates::test_set(size_t index) {
  const auto found = sets_.find(index);
  if (found != sets_.end()) return found->second;
  const StudySet& set = config_.study.sets[index];
  return sets_[index] = read_test_set(set.manifest, set.protocol);
}

Identity RunStates::identity_of(const TrainingConfig& config, const std::string& teacher_hash) {
  return training_identity(config, data_content(config.data), teacher_hash,
                           init_hash(config.train));
}

RunStates::Teacher RunStates::teacher_of(const StudyNode& node, const std::string& which) {
  const auto teacher = plan_.need(node, NodeKind::teacher);
  if (!teacher) return {};
  const auto known = teacher_hashes_.find({*teacher, which});
  if (known != teacher_hashes_.end()) return {known->second, true};
  const NodeStanding standing = of(*teacher);
  const RunView run(standing.folder);
  if (standing.state == NodeState::done) {
    return {teacher_hashes_[{*teacher, which}] = run.look_for_model(which).hash, true};
  }
  // Who has learned from it has done so, whatever became of its files since.
  if (standing.state != NodeState::damaged) return {};
  try {
    const bool is_planned = run.identity() == *standing.identity;
    return {is_planned ? run.recorded_model_hash(which) : "", false};
  } catch (const Error&) {  // told of where the teacher itself is looked at
    return {};
  }
}

std::optional<size_t> RunStates::choice_of(const StudyNode& node) {
  if (node.kind != NodeKind::student || plan_.search[node.method].empty()) return 0;
  const auto key = std::pair(search_scenario(config_, node.scenario), node.method);
  const auto known = choices_.find(key);
  if (known != choices_.end()) return known->second;
  bool is_final = true;  // one that diverged may be trained anew, and converge
  for (const size_t need : node.needs) {
    if (plan_.nodes[need].kind != NodeKind::point) continue;
    if (!is_settled(need)) return std::nullopt;
    is_final = is_final && of(need).state == NodeState::done;
  }
  const auto folder_of = [&](const StudyNode& point) {
    return of(plan_.find(point.id).value()).folder;
  };
  const size_t choice = chosen_point(config_, plan_, node, folder_of);
  if (is_final) choices_[key] = choice;
  return choice;
}

bool RunStates::are_settled(const std::vector<size_t>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [&](size_t node) { return is_settled(node); });
}

NodeStanding RunStates::training(size_t index) {
  const StudyNode& node = plan_.nodes[index];
  const fs::path link = node_link(plan_, node);
  std::optional<size_t> choice;
  try {
    choice = choice_of(node);
  } catch (const Error& e) {
    return {NodeState::damaged, {e.what()}};
  }
  if (!choice) return {NodeState::waiting};
  const TrainingConfig config = node_config(config_, plan_, node, *choice);
  const bool follows = !config.distill.terms.empty();
  const Teacher teacher = follows ? teacher_of(node, config.teacher.which) : Teacher{"", true};
  const Identity planned = identity_of(config, teacher.hash);
  try {
    if (!follows || !teacher.hash.empty()) {
      return standing_of(link, store_folder(plan_, planned), planned);
    }
    // What is known to differ is told before the teacher is trained.
    const RunView linked(link);
    const auto other = linked.exists() ? other_behind(linked, planned, true) : std::nullopt;
    return other && other->state != NodeState::to_run_anew ? *other
                                                           : NodeStanding{NodeState::waiting};
  } catch (const Error& e) {
    const RunView linked(link);
    const fs::path folder = linked.exists() ? run_folder(link) : store_folder(plan_, planned);
    return {NodeState::damaged, {e.what()}, planned, folder};
  }
}

bool RunStates::is_needless(size_t cache) {
  for (size_t i = 0; i < plan_.nodes.size(); ++i) {
    const auto& needs = plan_.nodes[i].needs;
    if (std::find(needs.begin(), needs.end(), cache) == needs.end() || done_.contains(i)) continue;
    // Not kept as done: what else it needs may not have ended yet.
    if (training(i).state != NodeState::done) return false;
  }
  return true;
}

NodeStanding RunStates::cache(size_t index) {
  if (is_needless(index)) return {NodeState::done};
  const StudyNode& node = plan_.nodes[index];
  const TrainingConfig config = node_config(config_, plan_, node, 0);
  const Teacher teacher = teacher_of(node, config.teacher.which);
  if (!teacher.is_trained) return {NodeState::waiting};
  Identity identity("teacher cache", 1, config::to_node(config.distill, true));
  for (const auto& [key, hash] : data_content(config.data)) identity.set("data." + key, hash);
  identity.set("data.options", config::to_node(config.data, true));
  identity.set("teacher", teacher.hash);
  identity.set("run.seed", config.run.seed);
  identity.set("run.device", config.run.device);
  identity.set("run.threads", config.run.threads);
  identity.set("train.batch_size", config.train.batch_size);
  identity.set("train.steps", config.train.steps * config.train.accumulate);
  identity.set("train.epochs", config.train.epochs);
  const fs::path mark = node_link(plan_, node) / kFilled;
  const bool is_filled = on_disk([&] {
    return fs::exists(mark) && fs::exists(config.distill.cache.dir) &&
           read_file(mark) == identity.text();
  });
  return {is_filled ? NodeState::done : NodeState::to_run, {}, identity};
}

NodeStanding RunStates::scores(size_t index) {
  const size_t run = plan_.nodes[index].needs.front();
  const NodeStanding trained = of(run);
  if (trained.state != NodeState::done) return {NodeState::waiting};
  std::string hash;
  try {
    hash = RunView(trained.folder).look_for_model("best").hash;
  } catch (const Error& e) {  // since it was found to be done
    return {NodeState::damaged, {e.what()}};
  }
  NodeStanding standing{NodeState::done};
  for (size_t set = 0; set < config_.study.sets.size(); ++set) {
    const auto table = stored_scores(scores_folder(trained.folder, set), hash, test_set(set),
                                     {.metrics = metrics_});
    if (!table) return {NodeState::to_run};
    for (const std::string& text : undefined_scores(*table, table->runs.front())) {
      standing.reasons.push_back(config_.study.sets[set].name + ": " + text);
    }
  }
  return standing;
}

fs::path RunStates::scores_folder(const fs::path& run, size_t set) {
  const std::string hash = test_set(set).pairs.content_hash();
  return run / "eval" / (folder_name(config_.study.sets[set].name) + "-" + hash.substr(0, 8));
}

NodeStanding RunStates::look_at(size_t node) {
  switch (plan_.nodes[node].kind) {
    case NodeKind::cache:
      return cache(node);
    case NodeKind::scores:
      return scores(node);
    case NodeKind::teacher:
    case NodeKind::point:
    case NodeKind::student:
      break;
  }
  NodeStanding standing = training(node);
  const bool could_begin = standing.state == NodeState::to_run ||
                           standing.state == NodeState::to_run_anew ||
                           standing.state == NodeState::to_resume;
  if (could_begin && !are_settled(plan_.nodes[node].needs)) standing.state = NodeState::waiting;
  return standing;
}

NodeStanding RunStates::of(size_t node) {
  const auto known = done_.find(node);
  if (known != done_.end()) return known->second;
  const NodeStanding standing = look_at(node);
  if (standing.state == NodeState::done) done_[node] = standing;
  return standing;
}

std::vector<NodeStanding> RunStates::all() {
  std::vector<NodeStanding> standings;
  for (size_t i = 0; i < plan_.nodes.size(); ++i) standings.push_back(of(i));
  return standings;
}

bool RunStates::is_settled(size_t node) {
  const NodeState state = of(node).state;
  return state == NodeState::done ||
         (plan_.nodes[node].kind == NodeKind::point && state == NodeState::diverged);
}

void mark_filled(const StudyPlan& plan, const StudyNode& cache, const Identity& identity) {
  const fs::path folder = node_link(plan, cache);
  on_disk([&] { fs::create_directories(folder); });
  write_file_atomically(folder / kFilled, identity.text());
}

void require_none_changed(const StudyPlan& plan, const std::vector<NodeStanding>& standings) {
  std::map<std::string, std::vector<std::string>> labels;  // by what is wrong with them
  size_t count = 0;
  for (size_t i = 0; i < standings.size(); ++i) {
    if (standings[i].state != NodeState::changed) continue;
    labels["  " + join(standings[i].reasons, "\n  ")].push_back(plan.nodes[i].label);
    ++count;
  }
  if (count == 0) return;
  std::string text = format(
      "%s: holds %d runs of another configuration; --restart-changed trains them anew, and leaves "
      "these in %s; or give another study.dir:",
      plan.dir, count, plan.store);
  for (const auto& [reasons, of_runs] : labels) {
    text += "\n" + join(of_runs, "; ") + "\n" + reasons;
  }
  throw ConfigError(text);
}

std::vector<std::string> trained_by_open_search(const StudyPlan& plan,
                                                const std::vector<NodeStanding>& standings) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const StudyNode& node = plan.nodes[i];
    if (node.kind != NodeKind::student || standings[i].state != NodeState::waiting) continue;
    const bool is_open = std::any_of(node.needs.begin(), node.needs.end(), [&](size_t need) {
      return plan.nodes[need].kind == NodeKind::point && standings[need].state != NodeState::done &&
             standings[need].state != NodeState::diverged;
    });
    if (is_open && RunView(node_link(plan, node)).pointed("last")) labels.push_back(node.label);
  }
  return labels;
}

std::vector<std::string> restart_changed(const StudyPlan& plan,
                                         const std::vector<NodeStanding>& standings) {
  std::vector<std::string> labels;
  std::set<size_t> restarted;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const StudyNode& node = plan.nodes[i];
    const bool is_changed = standings[i].state == NodeState::changed;
    const bool depends = std::any_of(node.needs.begin(), node.needs.end(),
                                     [&](size_t need) { return restarted.contains(need); });
    if (!is_changed && !depends) continue;
    restarted.insert(i);
    if (is_changed) labels.push_back(node.label);
    if (node.is_training()) leave_store(plan, node);
  }
  return labels;
}

}  // namespace limbeck
