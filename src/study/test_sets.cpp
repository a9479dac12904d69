#include "study/test_sets.h"

#include <set>

#include "limbeck/data/training_record.h"

namespace limbeck {

std::vector<TestSet> read_sets(const StudyConfig& config) {
  std::vector<TestSet> sets;
  for (const StudySet& set : config.study.sets) {
    sets.push_back(read_test_set(set.manifest, set.protocol));
  }
  return sets;
}

void check_sets(const StudyConfig& config, const StudyPlan& plan, std::vector<TestSet>& sets,
                Logger& logger) {
  std::set<std::string> seen;  // sources
  for (const auto* runs : {&plan.teachers, &plan.students}) {
    for (const StudyRun& run : *runs) {
      const DataOptions& options = run.config.data;
      if (!seen.insert(config::to_yaml(config::to_node(options.source))).second) continue;
      const DataSelection data = select_data(options);
      const TrainingRecord record(data);
      const std::string own =
          refuse_leaks(record.leaks(data), options.allow_leak, data.source, logger);
      for (size_t i = 0; i < sets.size(); ++i) {
        TestSet& set = sets[i];
        add_note(set.notes,
                 refuse_leaks(
                     record.leaks_into(fingerprints(set.pairs.entries)), config.study.allow_leak,
                     "set " + config.study.sets[i].name + " against " + data.source, logger));
        for (const std::string& note : data.notes) add_note(set.notes, note, "training: ");
        add_note(set.notes, own, "training: ");
      }
    }
  }
}

}  // namespace limbeck
