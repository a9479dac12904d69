#include "limbeck/study/study.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/run_view.h"
#include "limbeck/study/cost.h"
#include "study/collect.h"
#include "study/grid_work.h"
#include "study/node.h"
#include "study/node_config.h"
#include "study/report.h"
#include "study/search.h"
#include "study/store.h"
#include "study/test_sets.h"
#include "study/undefined_scores.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Where `jobs` is given, so many trainings run at a time, whatever there is; on GPUs they take
/// turns in getting one.
Machine machine_of(const StudyOptions& study) {
  Machine machine;
  machine.cores = study.jobs > 0 ? study.jobs * study.threads_per_run : nn::available_cores();
  machine.devices = nn::gpus(study.device);
  const size_t gpus = machine.devices.size();
  for (size_t i = gpus; gpus > 0 && i < static_cast<size_t>(study.jobs); ++i) {
    machine.devices.push_back(machine.devices[i % gpus]);
  }
  if (gpus > 0 && study.jobs > 0) machine.devices.resize(static_cast<size_t>(study.jobs));
  return machine;
}

/// "1 teacher", "2 teachers"
std::string counted(int64_t count, const char* what) {
  return format("%d %s%s", count, what, count == 1 ? "" : "s");
}

bool is_open(const NodeStanding& standing) {
  return standing.state != NodeState::done && standing.state != NodeState::diverged &&
         standing.state != NodeState::damaged;
}

class StudyRun {
 public:
  StudyRun(const StudyConfig& config, StudyPlan plan, StudyRunOptions options, Logger& logger)
      : config_(config),
        plan_(std::move(plan)),
        options_(std::move(options)),
        logger_(logger),
        states_(std::make_unique<RunStates>(config_, plan_)) {}

  ExitCode run() {
    require_own_folder(config_, plan_);
    for (const std::string& id : options_.retried) require_node(plan_, id);
    sets_ = read_sets(config_);
    check_sets(config_, plan_, sets_, logger_);
    logger_.info(format("study %s: %s, %s x %s, %s; in %s", config_.study.name,
                        counted(std::ssize(config_.teachers), "teacher"),
                        counted(std::ssize(config_.scenarios), "scenario"),
                        counted(std::ssize(config_.methods), "method"),
                        counted(count(&StudyNode::is_training), "training"), plan_.dir));
    if (options_.check_only || options_.dry_run) return look();
    fs::create_directories(plan_.dir);
    const DirectoryLock lock(plan_.dir, &logger_);
    StateFile file(plan_.dir);  // for those who ask from now on which process it is
    std::vector<NodeStanding> standings = states_->all();
    options_.restart_changed = may_restart(standings);
    require_unchanged(standings);
    require_consent(standings, options_.ask);
    const std::vector<std::string> restarted = restart_changed(plan_, standings);
    for (const std::string& label : restarted) {
      logger_.info(label + ": is trained anew, by another configuration");
    }
    if (!restarted.empty()) {
      states_ = std::make_unique<RunStates>(config_, plan_);
      standings = states_->all();
    }
    write_file_atomically(plan_.dir / "study.yaml", config::to_yaml(config::to_node(config_)));
    logger_.add_file(plan_.dir / "study.log");
    // What follows a run that is trained anew may be done no more.
    if (options_.retry) states_ = std::make_unique<RunStates>(config_, plan_);
    run_grid(standings, file);
    return report();
  }

  /// From what is there.
  ExitCode report() {
    if (sets_.empty()) {
      sets_ = read_sets(config_);
      check_sets(config_, plan_, sets_, logger_);
    }
    write_choices(config_, plan_);
    StudyResults results = collect_results(config_, plan_, sets_, read_states(plan_.dir), *states_);
    const bool is_defined = tell_undefined(results);
    print("%s", write_report(plan_.dir, config_, results));
    for (const MissingRun& missing : results.missing) {
      const std::string set = missing.set.empty() ? "" : ", " + missing.set;
      logger_.warn(missing.label + set + ": missing: " + missing.reason);
    }
    logger_.info("results: " + (plan_.dir / "table.md").string() + ", results.csv, figures");
    const bool is_whole =
        results.missing.empty() && results.unfair.empty() && is_defined && !has_failed_;
    return is_whole ? ExitCode::ok : ExitCode::some_failed;
  }

 private:
  int64_t count(bool (StudyNode::*is)() const) const {
    return std::count_if(plan_.nodes.begin(), plan_.nodes.end(),
                         [&](const StudyNode& node) { return (node.*is)(); });
  }

  /// The grid as it stands; writes nothing.
  ExitCode look() {
    check_files(config_, plan_, sets_, logger_);
    const std::vector<NodeStanding> standings = states_->all();
    print("%s", grid_text(plan_, standings, options_.dry_run));
    require_unchanged(standings);
    if (options_.dry_run) print("\n%s\n", cost_of(standings));
    require_consent(standings, {});
    logger_.info("configuration is sound");
    return ExitCode::ok;
  }

  /// Of the trainings that are left, from a few steps of each kind.
  std::string cost_of(const std::vector<NodeStanding>& standings) const {
    const Machine machine = machine_of(config_.study);
    PlannedSteps lengths;
    std::vector<PlannedTraining> trainings;
    for (size_t i = 0; i < standings.size(); ++i) {
      const StudyNode& node = plan_.nodes[i];
      if (!node.is_training() || !is_open(standings[i])) continue;
      PlannedTraining training{.config = node_config(config_, plan_, node, 0)};
      if (const auto teacher = plan_.need(node, NodeKind::teacher)) {
        training.teacher = node_config(config_, plan_, plan_.nodes[*teacher], 0).model;
      }
      training.items = lengths.items(training.config);
      if (standings[i].state == NodeState::to_resume) {
        training.steps_done = RunView(standings[i].folder).progress();
      }
      training.side_by_side = at_a_time(config_.study, machine, node.kind);
      trainings.push_back(std::move(training));
    }
    return trainings.empty() ? "nothing is left to train" : cost_text(estimate_cost(trainings));
  }

  void require_unchanged(const std::vector<NodeStanding>& standings) {
    if (options_.restart_changed) return;
    require_none_changed(plan_, standings);
    const auto unsure = trained_by_open_search(plan_, standings);
    if (unsure.empty()) return;
    logger_.warn(
        "trained before a search that has points left to train; where it chooses "
        "otherwise than it did for them they fail, unless --restart-changed is given:" +
        listed(unsure));
  }

  /// Where means are over fewer utterances than others, the tables say so themselves; here what no
  /// run has a score of is added. False if any score is not defined.
  bool tell_undefined(StudyResults& results) {
    bool is_defined = true;
    for (const auto& [set, table] : results.tables) {
      std::set<std::string> scored, told;
      for (const RunResults& run : table.runs) {
        for (const UtteranceScores& row : run.rows) scored.insert(row.id);
      }
      for (const RunResults& run : table.runs) {
        const auto texts = undefined_scores(table, run);
        if (texts.empty()) continue;
        is_defined = false;
        logger_.warn(
            format("%s, %s: %d scores are not defined (limbeck-study retry %s scores it "
                   "again):%s",
                   run.name, set, texts.size(), plan_.dir, listed(texts)));
        for (const auto& [id, metric, reason] : run.failures) {
          if (scored.contains(id) || !told.insert(id).second) continue;
          results.notes[set].push_back(id + " is in no mean: " + reason);
        }
      }
    }
    return is_defined;
  }

  bool may_restart(const std::vector<NodeStanding>& standings) const {
    if (options_.restart_changed) return true;
    int64_t changed = 0;
    for (const NodeStanding& standing : standings) changed += standing.state == NodeState::changed;
    return changed > 0 && options_.ask &&
           options_.ask(format("%s\n%d runs are of another configuration. Train them anew?",
                               grid_text(plan_, standings, false), changed));
  }

  /// Throws ConfigError where many trainings would begin and nobody has said yes.
  void require_consent(const std::vector<NodeStanding>& standings,
                       const std::function<bool(const std::string&)>& ask) const {
    int64_t open = 0;
    for (size_t i = 0; i < standings.size(); ++i) {
      open += plan_.nodes[i].is_training() && is_open(standings[i]);
    }
    if (options_.yes || open <= config_.study.ask_above) return;
    const std::string text = format("%d trainings are to be begun, more than study.ask_above: %d",
                                    open, config_.study.ask_above);
    if (ask && ask(text + ". Begin?")) return;
    throw ConfigError(text + "; say --yes");
  }

  void run_grid(const std::vector<NodeStanding>& standings, StateFile& file) {
    std::map<NodeKind, std::array<int64_t, 2>> counts;
    for (size_t i = 0; i < standings.size(); ++i) {
      const StudyNode& node = plan_.nodes[i];
      const NodeState state = standings[i].state;
      const bool is_finding = node.kind == NodeKind::point && state == NodeState::diverged;
      ++counts[node.kind][state == NodeState::done || is_finding];
    }
    for (const auto& [kind, of_kind] : counts) {
      logger_.info(
          format("%s: %d to run, %d done before", to_string(kind), of_kind[0], of_kind[1]));
    }
    const Machine machine = machine_of(config_.study);
    GridWork work(config_, plan_, options_, machine, *states_, file, logger_);
    for (const TaskStatus& status : run_tasks(work.tasks(), machine, work, options_.fail_fast)) {
      has_failed_ = has_failed_ || status.state != TaskState::done;
    }
    work.finish();
  }

  const StudyConfig& config_;
  const StudyPlan plan_;
  StudyRunOptions options_;
  Logger& logger_;
  std::unique_ptr<RunStates> states_;
  std::vector<TestSet> sets_;
  bool has_failed_ = false;
};

}  // namespace

ExitCode run_study(const StudyConfig& config, const StudyRunOptions& options, Logger& logger) {
  nn::select_device(config.study.device);
  return on_disk([&] { return StudyRun(config, plan_study(config), options, logger).run(); });
}

ExitCode report_study(const fs::path& dir, Logger& logger) {
  const StudyConfig config = read_study(dir);
  return on_disk([&] { return StudyRun(config, replan_study(config), {}, logger).report(); });
}

}  // namespace limbeck
