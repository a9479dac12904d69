#include "study/grid_work.h"

#include <algorithm>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/run/run_view.h"
#include "study/node.h"
#include "study/search.h"
#include "study/store.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr size_t kKinds = static_cast<size_t>(NodeKind::scores) + 1;

size_t index_of(NodeKind kind) { return static_cast<size_t>(kind); }

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string ending_text(int code) {
  return code > 128 ? format("killed by signal %d", code - 128) : format("exit code %d", code);
}

bool has_ended(TaskState state) {
  return state != TaskState::waiting && state != TaskState::running;
}

/// Teachers are large, and what follows waits for them: they get all cores, one after the other.
int64_t cores_of(const StudyOptions& study, const Machine& machine, NodeKind kind) {
  return kind == NodeKind::teacher ? machine.cores : study.threads_per_run;
}

}  // namespace

int64_t at_a_time(const StudyOptions& study, const Machine& machine, NodeKind kind) {
  if (!machine.devices.empty()) return static_cast<int64_t>(machine.devices.size());
  return std::max(machine.cores / cores_of(study, machine, kind), int64_t{1});
}

GridWork::GridWork(const StudyConfig& config, const StudyPlan& plan, const StudyRunOptions& options,
                   const Machine& machine, RunStates& states, StateFile& file, Logger& logger)
    : config_(config),
      plan_(plan),
      options_(options),
      states_(states),
      logger_(logger),
      file_(file),
      pace_(kKinds),
      machine_(machine),
      status_(plan.nodes.size()),
      seconds_(plan.nodes.size(), 0),
      progress_(logger, "study", "nodes", static_cast<int64_t>(plan.nodes.size())) {
  file_.clear();
}

std::vector<Task> GridWork::tasks() const {
  std::vector<Task> tasks;
  for (const StudyNode& node : plan_.nodes) {
    tasks.push_back({.needs = node.needs,
                     .cores = cores_of(config_.study, machine_, node.kind),
                     .on_device = true});
  }
  return tasks;
}

bool GridWork::is_named(const StudyNode& node) const {
  const auto& ids = options_.retried;
  return options_.retry && std::find(ids.begin(), ids.end(), node.id) != ids.end();
}

bool GridWork::is_retried(const StudyNode& node) const {
  return is_named(node) || (options_.retry && options_.retried.empty());
}

bool GridWork::is_done(size_t task) {
  const StudyNode& node = plan_.nodes[task];
  NodeStanding standing = states_.of(task);
  if (standing.state == NodeState::changed && options_.restart_changed) {
    leave_store(plan_, node);
    standing = states_.of(task);
  }
  // It is a finding that a point diverged: it is trained anew only where it is named.
  const bool is_finding = node.kind == NodeKind::point && standing.state == NodeState::diverged;
  const bool lacks_scores = node.kind == NodeKind::scores && !standing.reasons.empty();
  if ((standing.state == NodeState::done && !(lacks_scores && is_retried(node))) ||
      (is_finding && !is_named(node))) {
    if (node.is_training()) enter_store(plan_, node, *standing.identity);
    return true;
  }
  const std::string wrong = obstacle(plan_, task, standing, is_retried(node));
  if (!wrong.empty()) throw DataError(wrong);
  return false;
}

Command GridWork::command(size_t task, const std::string& device) {
  const StudyNode& node = plan_.nodes[task];
  const fs::path log = log_file(plan_.dir, node.id);
  const size_t log_begin = on_disk([&] {
    fs::create_directories(log.parent_path());
    return fs::exists(log) ? fs::file_size(log) : 0;
  });
  running_[task] = {Clock::now(), log_begin, RunView(node_link(plan_, node)).progress()};
  std::vector<std::string> arguments = {options_.tool, "node", plan_.dir.string(), node.id};
  if (!device.empty()) arguments.insert(arguments.end(), {"--device", device});
  if (is_retried(node)) arguments.emplace_back("--restart");
  return {arguments, log};
}

Verdict GridWork::judge(size_t task, int code, int attempts) {
  const NodeKind kind = plan_.nodes[task].kind;
  const bool diverged = code == static_cast<int>(ExitCode::diverged);
  if (diverged && kind == NodeKind::point) return Verdict::done;
  // What can be scored is; the report tells of the rest.
  const bool lacks_scores = code == static_cast<int>(ExitCode::some_failed);
  if (lacks_scores && kind == NodeKind::scores) return Verdict::done;
  return judge_exit(code, attempts);
}

/// What a node does in all: steps of a training, one piece of anything else.
double GridWork::planned(size_t task) {
  const StudyNode& node = plan_.nodes[task];
  if (!node.is_training()) return 1;
  // Search and seeds change no lengths.
  const auto [known, is_new] =
      planned_.try_emplace({node.kind, node.teacher, node.scenario, node.method, node.sweep}, 0.0);
  if (is_new) {
    known->second = static_cast<double>(steps_.of(node_config(config_, plan_, node, 0)));
  }
  return known->second;
}

/// Since its attempt began.
double GridWork::amount_done(size_t task) const {
  const StudyNode& node = plan_.nodes[task];
  if (!node.is_training()) return 0;
  const int64_t steps = RunView(node_link(plan_, node)).progress() - running_.at(task).first_step;
  return static_cast<double>(std::max(steps, int64_t{0}));
}

void GridWork::end_attempt(size_t task, bool is_done) {
  const StudyNode& node = plan_.nodes[task];
  const double seconds = seconds_since(running_.at(task).begin);
  seconds_[task] += seconds;
  if (node.is_training() || is_done) {
    pace_.add(index_of(node.kind), node.is_training() ? amount_done(task) : 1, seconds);
  }
  running_.erase(task);
}

std::string GridWork::reason_of(size_t task, const TaskStatus& status) const {
  if (status.state == TaskState::not_run) {
    size_t cause = status.cause;  // followed to what failed itself
    while (status_[cause].state == TaskState::not_run) cause = status_[cause].cause;
    switch (plan_.nodes[cause].kind) {
      case NodeKind::teacher:
        return "not run: its teacher failed";
      case NodeKind::cache:
        return "not run: the cache of its teacher failed";
      case NodeKind::point:
        return "not run: " + plan_.nodes[cause].label + " failed";
      default:
        return "not run: it was not trained";
    }
  }
  if (!status.error.empty()) return status.error;
  const fs::path log = log_file(plan_.dir, plan_.nodes[task].id);
  return format("%s: %s (%s)", ending_text(status.code),
                last_words(log, running_.at(task).log_begin), log);
}

void GridWork::changed(size_t task, const TaskStatus& status) {
  NodeRecord record{status.state, status.attempts, status.code, seconds_[task], ""};
  const bool has_run = running_.contains(task) && status.state != TaskState::running;
  const bool is_bad = status.state == TaskState::failed || status.state == TaskState::not_run;
  const bool has_died = has_run && status.state == TaskState::waiting && !is_stopping();
  if (is_bad || has_died) {
    record.reason = reason_of(task, status);
  }
  if (has_run) end_attempt(task, status.state == TaskState::done);
  record.seconds = seconds_[task];
  status_[task] = status;
  file_.set(plan_.nodes[task].id, record);
  tell(plan_.nodes[task], record);
  if (plan_.nodes[task].kind == NodeKind::point && has_run) write_choices(config_, plan_);
}

/// At once, and above the progress line.
void GridWork::tell(const StudyNode& node, const NodeRecord& record) {
  switch (record.state) {
    case TaskState::not_run:
      if (node.kind == NodeKind::scores) return;  // that their run failed was told
      [[fallthrough]];
    case TaskState::failed:
      progress_.finish();
      return logger_.error(node.label + ": " + record.reason);
    case TaskState::waiting:
      if (is_stopping()) return logger_.debug(node.label + ": stopped");
      progress_.finish();
      return logger_.warn(node.label + ": " + record.reason + "; it is run once more");
    case TaskState::running:
      return logger_.debug(node.label + ": begun");
    case TaskState::done:
      return logger_.debug(record.attempts == 0
                               ? node.label + ": was done before"
                               : node.label + ": done in " + duration_text(record.seconds));
  }
}

/// What ends now does so because it was told to.
bool GridWork::is_stopping() const {
  const bool has_failed = std::any_of(status_.begin(), status_.end(), [](const auto& status) {
    return status.state == TaskState::failed;
  });
  return interrupt_signal() != 0 || (options_.fail_fast && has_failed);
}

std::string GridWork::counts() const {
  int64_t failed = 0;
  for (const TaskStatus& status : status_) {
    failed += status.state == TaskState::failed || status.state == TaskState::not_run;
  }
  std::string text = format("%d running", running_.size());
  if (failed > 0) text += format(", %d FAILED or not run", failed);
  return text;
}

std::string GridWork::time_left() {
  std::vector<double> left(kKinds, 0);
  StudyPace pace = pace_;
  for (size_t task = 0; task < status_.size(); ++task) {
    if (has_ended(status_[task].state)) continue;
    const size_t kind = index_of(plan_.nodes[task].kind);
    left[kind] += planned(task);
    const auto attempt = running_.find(task);
    if (attempt == running_.end()) continue;
    const double done = amount_done(task);
    left[kind] -= std::min(done + static_cast<double>(attempt->second.first_step), planned(task));
    if (plan_.nodes[task].is_training()) {
      pace.add(kind, done, seconds_since(attempt->second.begin));
    }
  }
  for (size_t kind = 0; kind < kKinds; ++kind) {
    pace.set_left(kind, left[kind],
                  at_a_time(config_.study, machine_, static_cast<NodeKind>(kind)));
  }
  return pace.time_left();
}

void GridWork::poll() {
  const bool is_over = running_.empty();  // finish() tells of that
  if (is_over || seconds_since(polled_) < 0.5) return;
  polled_ = Clock::now();
  show();
}

void GridWork::show() {
  const auto ended = std::count_if(status_.begin(), status_.end(), [](const TaskStatus& status) {
    return has_ended(status.state);
  });
  progress_.update(ended, counts(), time_left());
}

void GridWork::finish() {
  show();
  progress_.finish();
}

}  // namespace limbeck
