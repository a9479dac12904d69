#include "study/test_sets.h"

#include <set>
#include <tuple>

#include "limbeck/data/file_check.h"
#include "limbeck/data/training_record.h"
#include "study/node_config.h"

namespace limbeck {
namespace {

/// Calls `take` with the options and what they select, once for each data source.
template <class Take>
void each_source(const StudyConfig& config, const StudyPlan& plan, const Take& take) {
  std::set<std::string> seen;
  std::set<std::tuple<NodeKind, std::string, size_t, size_t>> read;
  for (const StudyNode& node : plan.nodes) {
    if (!node.is_training()) continue;
    // Neither methods nor seeds change the data.
    if (!read.emplace(node.kind, node.teacher, node.scenario, node.sweep).second) continue;
    const DataOptions options = node_config(config, plan, node, 0).data;
    std::string sources = config::to_yaml(config::to_node(options.source));
    for (const auto& set : options.valid_sets) {
      sources += config::to_yaml(config::to_node(set.source));
    }
    if (seen.insert(sources).second) take(options, select_data(options));
  }
}

}  // namespace

std::vector<TestSet> read_sets(const StudyConfig& config) {
  std::vector<TestSet> sets;
  for (const StudySet& set : config.study.sets) {
    sets.push_back(read_test_set(set.manifest, set.protocol));
  }
  return sets;
}

void check_sets(const StudyConfig& config, const StudyPlan& plan, std::vector<TestSet>& sets,
                Logger& logger) {
  each_source(config, plan, [&](const DataOptions& options, const DataSelection& data) {
    const TrainingRecord record(data);
    const std::string own =
        refuse_leaks(record.leaks(data), options.allow_leak, data.source, logger);
    for (size_t i = 0; i < sets.size(); ++i) {
      TestSet& set = sets[i];
      add_note(
          set.notes,
          refuse_leaks(record.leaks_into(fingerprints(set.pairs.entries)), config.study.allow_leak,
                       "set " + config.study.sets[i].name + " against " + data.source, logger));
      for (const std::string& note : data.notes) add_note(set.notes, note, "training: ");
      add_note(set.notes, own, "training: ");
    }
  });
}

void check_files(const StudyConfig& config, const StudyPlan& plan, const std::vector<TestSet>& sets,
                 Logger& logger) {
  std::vector<NamedFile> files;
  for (const TestSet& set : sets) add_files(set.pairs.entries, files);
  each_source(config, plan, [&](const DataOptions& options, const DataSelection& data) {
    const auto more = files_of(options, data);
    files.insert(files.end(), more.begin(), more.end());
  });
  require_files(files, logger);
}

}  // namespace limbeck
