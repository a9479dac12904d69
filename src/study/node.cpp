#include "study/node.h"

#include <chrono>
#include <thread>

#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/lock.h"
#include "limbeck/eval/job.h"
#include "limbeck/study/study.h"
#include "limbeck/train/fill_teacher_cache.h"
#include "limbeck/train/session.h"
#include "study/node_config.h"
#include "study/store.h"
#include "study/undefined_scores.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// A training whose study was killed saves and ends by itself, and holds its folder until then; and
/// another study may be at the same run.
void wait_until_free(const fs::path& folder, Logger& logger) {
  bool was_told = false;
  while (fs::exists(folder) && is_locked(folder)) {
    throw_if_interrupted();
    if (!was_told) logger.info(folder.string() + ": waiting for the process that is at it to end");
    was_told = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// `body()` once the folder is free; again where another process was quicker to take it.
template <class Body>
void when_free(const fs::path& folder, Logger& logger, const Body& body) {
  for (;;) {
    wait_until_free(folder, logger);
    try {
      return body();
    } catch (const ConfigError&) {
      if (!is_locked(folder)) throw;
    }
  }
}

class NodeRun {
 public:
  NodeRun(const StudyConfig& config, const StudyPlan& plan, size_t index,
          const StudyNodeOptions& options, Logger& logger)
      : config_(config),
        plan_(plan),
        index_(index),
        node_(plan.nodes[index]),
        options_(options),
        states_(config, plan),
        logger_(logger) {}

  ExitCode run() {
    const NodeStanding standing = states_.of(index_);
    if (standing.state == NodeState::waiting) throw_waiting();
    switch (node_.kind) {
      case NodeKind::scores:
        return score();
      case NodeKind::cache:
        if (standing.state != NodeState::done) fill(standing);
        return ExitCode::ok;
      case NodeKind::teacher:
      case NodeKind::point:
      case NodeKind::student:
        train(standing);
        return ExitCode::ok;
    }
    return ExitCode::internal;
  }

 private:
  [[noreturn]] void throw_waiting() {
    std::vector<std::string> missing;
    for (const size_t need : node_.needs) {
      if (!states_.is_settled(need)) missing.push_back(plan_.nodes[need].id);
    }
    throw ConfigError(node_.label + " needs what is not done yet:" + listed(missing));
  }

  TrainingConfig training_config() const {
    TrainingConfig config = node_config(config_, plan_, node_);
    if (options_.threads >= 0) config.run.threads = options_.threads;
    if (!options_.device.empty()) config.run.device = options_.device;
    return config;
  }

  /// Configurations follow links, and what another study has trained nobody has linked yet.
  void link_needs() {
    for (const size_t need : node_.needs) {
      if (!plan_.nodes[need].is_training()) continue;
      const auto identity = states_.of(need).identity;
      if (identity) enter_store(plan_, plan_.nodes[need], *identity);
    }
  }

  void train(const NodeStanding& before) {
    when_free(before.folder, logger_, [&] {
      const NodeStanding standing = states_.of(index_);
      if (standing.state == NodeState::waiting) throw_waiting();  // by what happened meanwhile
      const std::string wrong = obstacle(plan_, index_, standing, options_.restart);
      if (!wrong.empty()) throw ConfigError(wrong);
      if (standing.state == NodeState::to_run_anew) {
        logger_.info(node_.label + ": is trained in place of a run that came to nothing:" +
                     listed(standing.reasons));
      }
      link_needs();
      TrainingConfig config = training_config();
      config.run.dir = enter_store(plan_, node_, *standing.identity).string();
      if (standing.state == NodeState::done) return logger_.info(node_.label + ": is done");
      const bool restart =
          standing.state == NodeState::diverged || standing.state == NodeState::damaged;
      run_training(config, {.restart = restart, .command = options_.command}, logger_);
    });
  }

  void fill(const NodeStanding& standing) {
    link_needs();
    fill_teacher_cache(training_config(), logger_);
    mark_filled(plan_, node_, *standing.identity);
  }

  ExitCode score() {
    const fs::path run = states_.of(node_.needs.front()).folder;
    const Scoring scoring{
        .metrics = build_metrics(config_.study.metrics),
        .device = options_.device.empty() ? config_.study.device : options_.device,
        .jobs = options_.threads >= 0 ? options_.threads : config_.study.threads_per_run};
    const ModelSource source{.path = run.string(), .allow_leak = config_.study.allow_leak};
    std::vector<std::string> failures;
    for (size_t i = 0; i < config_.study.sets.size(); ++i) {
      const StudySet& set = config_.study.sets[i];
      const fs::path folder = states_.scores_folder(run, i);
      when_free(folder, logger_, [&] {
        EvaluationJob job =
            model_job(source, read_test_set(set.manifest, set.protocol), scoring, folder, logger_);
        job.system = node_.label;
        job.replaces_others = true;
        const auto before = options_.restart ? std::nullopt : scored_before(job);
        const ResultTable table = before ? *before : run_job(job, logger_);
        if (before) logger_.info(job.system + ": scored before, see " + folder.string());
        for (const std::string& text : undefined_scores(table, table.runs.front())) {
          failures.push_back(set.name + ": " + text);
        }
      });
    }
    if (failures.empty()) return ExitCode::ok;
    logger_.error(format("%d scores are not defined:%s", failures.size(), listed(failures)));
    return ExitCode::some_failed;
  }

  const StudyConfig& config_;
  const StudyPlan& plan_;
  const size_t index_;
  const StudyNode& node_;
  const StudyNodeOptions& options_;
  RunStates states_;
  Logger& logger_;
};

}  // namespace

size_t require_node(const StudyPlan& plan, const std::string& id) {
  if (const auto index = plan.find(id)) return *index;
  std::vector<std::string> ids;
  for (const StudyNode& node : plan.nodes) ids.push_back(node.id);
  const std::string near = nearest(id, ids);
  throw ConfigError(plan.dir.string() + ": no node '" + id + "'" +
                    (near.empty() ? "; limbeck-study run --dry-run lists them"
                                  : "; did you mean '" + near + "'?"));
}

std::string obstacle(const StudyPlan& plan, size_t index, const NodeStanding& standing,
                     bool restart) {
  const std::string reasons = join(standing.reasons, "; ");
  const std::string anew =
      format("; limbeck-study retry %s %s trains it anew", plan.dir, plan.nodes[index].id);
  switch (standing.state) {
    case NodeState::diverged:
      return restart ? "" : "it diverged" + (reasons.empty() ? "" : ": " + reasons) + anew;
    case NodeState::damaged:
      if (!standing.identity) return reasons;  // what would be trained is not known
      return restart ? "" : reasons + anew;
    case NodeState::changed:
      return "its link leads to a run of another configuration (--restart-changed trains it "
             "anew): " +
             reasons;
    default:
      return "";
  }
}

ExitCode run_study_node(const fs::path& dir, const std::string& id, const StudyNodeOptions& options,
                        Logger& logger) {
  const StudyConfig config = read_study(dir);
  const StudyPlan plan = replan_study(config);
  return NodeRun(config, plan, require_node(plan, id), options, logger).run();
}

}  // namespace limbeck
