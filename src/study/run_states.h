#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/data/selection.h"
#include "limbeck/metric/metric.h"
#include "limbeck/run/identity.h"
#include "limbeck/study/plan.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// How a node of a study stands to what lies on the disk.
enum class NodeState {
  waiting,  ///< for what it needs
  to_run,
  to_run_anew,  ///< the link leads to another run, which came to nothing: nobody would miss it
  to_resume,
  done,
  diverged,  ///< the training that was planned; to go on would end in the same
  damaged,   ///< trained, but it cannot be read; or its search has found nothing
  changed,   ///< the link leads to a run of another configuration
};

/// "to run", …
const char* to_string(NodeState state);

struct NodeStanding {
  NodeState state = NodeState::to_run;
  /// What is damaged; which facts of the run that the link leads to are not those planned; or, of
  /// scores that are done, which are not defined.
  std::vector<std::string> reasons = {};
  /// Of a training or a cache; nothing while that is not known, as before its teacher is trained.
  std::optional<Identity> identity = {};
  /// Of a training whose identity is known: where its run lies, or will lie. The link need not lead
  /// there yet, as where another study has trained it: see enter_store.
  std::filesystem::path folder = {};
};

/// Holds the nodes of a plan against what lies on the disk, by their identities. Changes nothing.
class RunStates {
 public:
  /// Both must outlive it.
  RunStates(const StudyConfig& config, const StudyPlan& plan);

  /// As things are now; but what is done stays so, and its files are not read again. A node that
  /// could be run is `waiting` until all that it needs is settled. Throws DataError: data or a set
  /// cannot be read.
  NodeStanding of(size_t node);
  /// Of all nodes.
  std::vector<NodeStanding> all();

  /// Nothing is left to do before others may begin: it is done, or a point that diverged.
  bool is_settled(size_t node);

  /// The folder with the scores of a set, whose index this is, within that of a run. Another study
  /// may call other pairs the same: what the set holds is part of its name.
  std::filesystem::path scores_folder(const std::filesystem::path& run, size_t set);

 private:
  struct Teacher {
    std::string hash;  ///< of its model file; empty where that is not known yet
    bool is_trained = false;
  };

  NodeStanding look_at(size_t node);
  NodeStanding training(size_t node);
  NodeStanding cache(size_t node);
  NodeStanding scores(size_t node);
  bool are_settled(const std::vector<size_t>& nodes);
  /// All that read a cache are trained without it.
  bool is_needless(size_t cache);
  Teacher teacher_of(const StudyNode& node, const std::string& which);
  std::optional<size_t> choice_of(const StudyNode& node);
  Identity identity_of(const TrainingConfig& config, const std::string& teacher_hash);
  const std::map<std::string, std::string>& data_content(const DataOptions& options);
  const std::string& init_hash(const TrainOptions& options);
  const TestSet& test_set(size_t index);

  const StudyConfig& config_;
  const StudyPlan& plan_;
  std::vector<Metric> metrics_;
  std::map<std::string, std::map<std::string, std::string>> data_contents_;
  std::map<std::string, std::string> init_hashes_;                        ///< by `train.init`
  std::map<std::pair<size_t, std::string>, std::string> teacher_hashes_;  ///< of trained ones
  std::map<std::pair<size_t, size_t>, size_t> choices_;  ///< of searches without a diverged point
  std::map<size_t, TestSet> sets_;
  std::map<size_t, NodeStanding> done_;
};

/// Says in the study's folder that a cache is filled, once `fill_teacher_cache` has returned.
void mark_filled(const StudyPlan& plan, const StudyNode& cache, const Identity& identity);

/// Throws one ConfigError that lists all nodes that are changed. `standings` are of all nodes, here
/// and below.
void require_none_changed(const StudyPlan& plan, const std::vector<NodeStanding>& standings);

/// The labels of the students that were trained, while the search that chooses for them has points
/// left to train, as after it was given more values: whether they are changed is known only then.
std::vector<std::string> trained_by_open_search(const StudyPlan& plan,
                                                const std::vector<NodeStanding>& standings);

/// Removes the links of all nodes that are changed, and of all that depend on them: what they led
/// to stays in the store, and is found again if it is what is planned. Returns the labels of those
/// that were changed. States that were asked before know nothing of it.
std::vector<std::string> restart_changed(const StudyPlan& plan,
                                         const std::vector<NodeStanding>& standings);

/// A table of how many nodes of each kind stand how, then what is changed, damaged or diverged and
/// why; with `names` the standing of every node.
std::string grid_text(const StudyPlan& plan, const std::vector<NodeStanding>& standings,
                      bool names);

}  // namespace limbeck
