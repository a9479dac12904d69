#include "study/collect.h"

#include "limbeck/core/format.h"
#include "limbeck/data/training_record.h"
#include "limbeck/eval/job.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "limbeck/study/fairness.h"
#include "study/search.h"

namespace limbeck {
namespace {

class Collector {
 public:
  Collector(const StudyConfig& config, const StudyPlan& plan, const std::vector<TestSet>& sets,
            const StudyStates& recorded, RunStates& states)
      : config_(config), plan_(plan), sets_(sets), recorded_(recorded), states_(states) {}

  StudyResults collect() {
    results_.metrics = build_metrics(config_.study.metrics);
    results_.sweep.clear();
    for (const SettingPoint& point : plan_.sweep) results_.sweep.push_back(point.name);
    for (size_t i = 0; i < sets_.size(); ++i) {
      results_.notes[config_.study.sets[i].name] = sets_[i].notes;
    }
    for (size_t i = 0; i < plan_.nodes.size(); ++i) {
      const NodeKind kind = plan_.nodes[i].kind;
      if (kind == NodeKind::point && !states_.is_settled(i)) miss_training(i, states_.of(i));
      if (kind == NodeKind::scores) add_run(i);
    }
    add_searches();
    results_.unfair = unfair_arms(starts_);
    results_.unfair.insert(results_.unfair.end(), unknown_.begin(), unknown_.end());
    return std::move(results_);
  }

 private:
  static std::optional<StudyArm> arm_of(const StudyNode& run) {
    if (run.kind != NodeKind::student) return std::nullopt;
    return StudyArm{run.scenario, run.method, run.sweep};
  }

  /// What was said when it failed; nothing is known of what was never begun.
  std::string reason_of(size_t node, const std::string& otherwise) const {
    const auto found = recorded_.nodes.find(plan_.nodes[node].id);
    return found == recorded_.nodes.end() || found->second.reason.empty() ? otherwise
                                                                          : found->second.reason;
  }

  void miss(const StudyNode& run, const std::string& set, const std::string& reason) {
    const bool is_of_search = run.kind == NodeKind::point;
    results_.missing.push_back({.label = run.label,
                                .arm = arm_of(run),
                                .set = set,
                                .reason = reason,
                                .teacher = is_of_search ? "" : run.teacher,
                                .teacher_seed = run.teacher_seed,
                                .seed = run.seed});
  }

  void miss_training(size_t index, const NodeStanding& standing) {
    const std::string wrong = join(standing.reasons, "; ");
    miss(plan_.nodes[index], "",
         reason_of(index, wrong.empty() ? to_string(standing.state) : wrong));
  }

  void add_run(size_t scores) {
    const size_t index = plan_.nodes[scores].needs.front();
    const StudyNode& run = plan_.nodes[index];
    const NodeStanding standing = states_.of(index);
    if (standing.state != NodeState::done) return miss_training(index, standing);
    ScoredRun scored{.id = run.id,
                     .label = run.label,
                     .arm = arm_of(run),
                     .teacher = run.teacher,
                     .teacher_seed = run.teacher_seed,
                     .seed = run.seed};
    try {
      add_training(RunView(standing.folder), scored);
    } catch (const Error& e) {  // what is wrong with one run hides no other
      return miss(run, "", e.what());
    }
    bool is_scored = false;
    for (size_t set = 0; set < sets_.size(); ++set) {
      try {
        is_scored = add_scores(run, standing.folder, set, scored) || is_scored;
      } catch (const Error& e) {
        miss(run, config_.study.sets[set].name, e.what());
        continue;
      }
    }
    if (is_scored) results_.runs.push_back(scored);
  }

  /// What a training says of itself. An arm of which nobody knows how it began is not known to be
  /// fair.
  void add_training(const RunView& view, ScoredRun& scored) {
    scored.skipped_steps = view.skipped();
    scored.environment = view.environment();
    if (!scored.arm) return;
    if (const auto start = view.start()) {
      starts_.push_back({scored.label, *scored.arm, scored.seed, *start});
    } else {
      unknown_.push_back(scored.label + ": nothing says how it began");
    }
  }

  bool add_scores(const StudyNode& run, const std::filesystem::path& folder, size_t set,
                  ScoredRun& scored) {
    const std::string& name = config_.study.sets[set].name;
    Logger quiet(Verbosity::quiet);
    EvaluationJob job =
        model_job({.path = folder.string(), .allow_leak = config_.study.allow_leak}, sets_[set],
                  {.metrics = results_.metrics, .device = config_.study.device},
                  states_.scores_folder(folder, set), quiet);
    job.system = run.id;
    const auto table = scored_before(job);
    if (!table) {
      const auto scores = plan_.find("scores/" + run.id);
      miss(run, name, reason_of(scores.value(), "not scored yet"));
      return false;
    }
    table->require_scores();
    // Without the job's word on skipped steps, which is of this run alone and stands elsewhere.
    for (const std::string& note : notes_on(sets_[set], run.label, RunView(folder).record(),
                                            config_.study.allow_leak, quiet)) {
      add_note(results_.notes[name], note);
    }
    results_.tables.try_emplace(name, ResultTable{results_.metrics}).first->second.add(*table);
    const nn::ModelCost cost = nn::model_cost(job.model_file);
    scored.parameters = cost.parameters;
    scored.macs_per_second = cost.macs_per_second;
    return true;
  }

  void add_searches() {
    for (size_t scenario = 0; scenario < config_.scenarios.size(); ++scenario) {
      if (search_scenario(config_, scenario) != scenario) continue;
      for (size_t method = 0; method < config_.methods.size(); ++method) {
        if (plan_.search[method].empty()) continue;
        const auto folder_of = [&](const StudyNode& point) {
          return states_.of(plan_.find(point.id).value()).folder;
        };
        try {
          results_.searches.push_back(search_outcome(config_, plan_, scenario, method, folder_of));
        } catch (const Error&) {  // not all of its points have ended: those are missing
          continue;
        }
      }
    }
  }

  const StudyConfig& config_;
  const StudyPlan& plan_;
  const std::vector<TestSet>& sets_;
  const StudyStates& recorded_;
  RunStates& states_;
  StudyResults results_;
  std::vector<ArmStart> starts_;
  std::vector<std::string> unknown_;  ///< arms that say nothing of that
};

}  // namespace

StudyResults collect_results(const StudyConfig& config, const StudyPlan& plan,
                             const std::vector<TestSet>& sets, const StudyStates& recorded,
                             RunStates& states) {
  return Collector(config, plan, sets, recorded, states).collect();
}

}  // namespace limbeck
