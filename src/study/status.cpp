#include <signal.h>

#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "limbeck/config/resolve.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/lock.h"
#include "limbeck/core/table.h"
#include "limbeck/run/run_view.h"
#include "limbeck/study/plan.h"
#include "limbeck/study/study.h"
#include "study/node.h"
#include "study/node_config.h"
#include "study/state_file.h"
#include "study/store.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr std::array kKinds = {NodeKind::teacher, NodeKind::cache, NodeKind::point,
                               NodeKind::student, NodeKind::scores};
constexpr std::array kStates = {TaskState::done, TaskState::running, TaskState::failed,
                                TaskState::not_run, TaskState::waiting};
constexpr size_t kLastLines = 20;

/// A study that lies there, and how its nodes stand.
struct Seen {
  StudyConfig config;
  StudyPlan plan;
  StudyStates states;
  bool runs = false;

  explicit Seen(const fs::path& dir)
      : config(read_study(dir)),
        plan(replan_study(config)),
        states(read_states(dir)),
        runs(is_locked(dir)) {}

  NodeRecord record(const StudyNode& node) const {
    const auto found = states.nodes.find(node.id);
    if (found == states.nodes.end()) return {};
    NodeRecord record = found->second;
    // Its process was killed and could not say so.
    if (record.state == TaskState::running && !runs) record.state = TaskState::waiting;
    return record;
  }
};

std::string counts_table(const Seen& study) {
  std::map<NodeKind, std::map<TaskState, int64_t>> counts;
  for (const StudyNode& node : study.plan.nodes) ++counts[node.kind][study.record(node).state];
  std::vector<std::string> header = {"", "all"};
  for (const TaskState state : kStates) header.emplace_back(to_string(state));
  std::vector<std::vector<std::string>> rows;
  for (const NodeKind kind : kKinds) {
    if (!counts.contains(kind)) continue;
    int64_t all = 0;
    std::vector<std::string> fields;
    for (const TaskState state : kStates) {
      all += counts[kind][state];
      fields.push_back(std::to_string(counts[kind][state]));
    }
    fields.insert(fields.begin(), {to_string(kind), std::to_string(all)});
    rows.push_back(fields);
  }
  return markdown_table(header, rows);
}

std::string running_text(const Seen& study) {
  std::string text;
  PlannedSteps planned;
  for (const StudyNode& node : study.plan.nodes) {
    if (study.record(node).state != TaskState::running) continue;
    std::string step;
    if (node.is_training()) {
      step = format("step %d/%d, ", RunView(node_link(study.plan, node)).progress(),
                    planned.of(node_config(study.config, study.plan, node, 0)));
    }
    text += format("\n  %s: %s%s", node.label, step, log_file(study.plan.dir, node.id));
  }
  return text.empty() ? "" : "\nrunning:" + text + "\n";
}

std::string failures_text(const Seen& study) {
  std::string text;
  for (const StudyNode& node : study.plan.nodes) {
    const NodeRecord record = study.record(node);
    if (record.state == TaskState::failed) {
      text += format("\n  %s (%s): %s", node.label, node.id, record.reason);
    }
  }
  return text.empty() ? "" : "\nfailed:" + text + "\n";
}

/// SIGINT to the process that says it runs the study, if it is one of this program.
void interrupt(const fs::path& dir, const StudyStates& states) {
  if (states.host != host_name()) {
    throw ConfigError(format("%s: runs on %s; cancel it there", dir, states.host));
  }
  std::error_code unknown;
  const fs::path program =
      fs::read_symlink(fs::path("/proc") / std::to_string(states.process) / "exe", unknown);
  if (unknown || !program.filename().string().starts_with("limbeck-study") ||
      ::kill(static_cast<pid_t>(states.process), SIGINT) != 0) {
    throw ConfigError(
        format("%s: process %d, which ran the study, is gone, and another one holds "
               "its folder",
               dir, states.process));
  }
}

}  // namespace

StudyConfig read_study(const fs::path& dir) {
  const fs::path file = dir / "study.yaml";
  if (!fs::exists(file)) {
    throw ConfigError(dir.string() + ": holds no study (there is no study.yaml)");
  }
  StudyConfig config = config::load<StudyConfig>({file}, {});
  config.study.dir = dir.string();
  return config;
}

std::string study_status(const fs::path& dir) {
  const Seen study(dir);
  std::string text = format("study %s in %s: ", study.config.study.name, dir);
  text += study.runs ? format("running since %s, process %d on %s", study.states.since,
                              study.states.process, study.states.host)
                     : std::string("not running");
  text += "\n\n" + counts_table(study);
  if (study.runs) text += running_text(study);
  return text + failures_text(study);
}

void cancel_study(const fs::path& dir, Logger& logger) {
  read_study(dir);
  if (!is_locked(dir)) throw ConfigError(dir.string() + ": no process runs this study");
  interrupt(dir, read_states(dir));
  logger.info(dir.string() + ": interrupted; its trainings save");
  while (is_locked(dir)) {
    throw_if_interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  logger.info(dir.string() + ": has ended; the same command goes on with it");
}

std::string study_logs(const fs::path& dir, const std::string& id) {
  const StudyPlan plan = replan_study(read_study(dir));
  if (!id.empty()) {
    const fs::path log = log_file(dir, plan.nodes[require_node(plan, id)].id);
    if (!fs::exists(log)) throw ConfigError(log.string() + ": is not there: it was not begun");
    return log.string() + "\n" + last_lines(read_file(log), kLastLines);
  }
  std::string text;
  for (const StudyNode& node : plan.nodes) {
    const fs::path log = log_file(dir, node.id);
    if (fs::exists(log)) text += log.string() + ": " + last_lines(last_words(log), 1) + "\n";
  }
  return text;
}

}  // namespace limbeck
