#include "study/guard.h"

#include <algorithm>
#include <set>

#include "limbeck/data/training_record.h"

namespace limbeck {
namespace {

void add_note(std::vector<std::string>& notes, const std::string& note) {
  if (note.empty() || std::find(notes.begin(), notes.end(), note) != notes.end()) return;
  notes.push_back(note);
}

}  // namespace

std::vector<LoadedSet> load_sets(const StudyConfig& config) {
  std::vector<LoadedSet> sets;
  for (const StudySet& set : config.study.sets) {
    LoadedSet loaded{set.name, {}, {}};
    if (set.protocol.empty()) {
      loaded.pairs = Manifest::read(set.manifest);
    } else {
      const Protocol protocol = Protocol::read(set.protocol);
      loaded.pairs = protocol.manifest(Split::test, Role::pairs);
      loaded.notes = protocol.notes();
    }
    if (loaded.pairs.kind != Manifest::Kind::pairs) {
      throw DataError(set.manifest + ": lists recordings; a set to evaluate on lists pairs");
    }
    if (loaded.pairs.entries.empty()) {
      throw DataError(loaded.pairs.path.string() + ": names no test pairs");
    }
    sets.push_back(std::move(loaded));
  }
  return sets;
}

void guard_sets(const StudyConfig& config, const StudyPlan& plan, std::vector<LoadedSet>& sets,
                Logger& logger) {
  std::set<std::vector<std::string>> seen;
  for (const auto* runs : {&plan.teachers, &plan.students}) {
    for (const StudyRun& run : *runs) {
      const DataOptions& d = run.data;
      if (!seen.insert({d.protocol, d.speech, d.noise, d.pairs}).second) continue;
      const DataSelection data = select_data(d);
      const TrainingRecord record(data);
      const std::string own = refuse_leaks(record.leaks(data), d.allow_leak, data.source, logger);
      for (LoadedSet& set : sets) {
        add_note(set.notes, refuse_leaks(record.leaks_into(fingerprints(set.pairs.entries)),
                                         config.study.allow_leak,
                                         "set " + set.name + " against " + data.source, logger));
        for (const std::string& note : data.notes) add_note(set.notes, note);
        add_note(set.notes, own);
      }
    }
  }
}

}  // namespace limbeck
