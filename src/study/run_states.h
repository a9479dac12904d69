#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/run/identity.h"
#include "limbeck/study/study.h"

namespace limbeck {

/// How a run of a study stands to what lies in its folder.
enum class StudyRunState {
  to_train,
  to_train_anew,  ///< in place of another run that came to nothing
  to_resume,
  done,
  after_teacher,  ///< its teacher has to be trained first
  damaged,        ///< trained, but it cannot be read
  refused,        ///< another run lies there
};

/// "to train", …
const char* state_name(StudyRunState state);

struct RunStanding {
  StudyRunState state = StudyRunState::to_train;
  /// What is damaged; or which facts of the run that lies there are not those planned.
  std::vector<std::string> reasons;
};

/// Holds the runs of a plan against what lies in their folders, by their identities.
class RunStates {
 public:
  /// The plan must outlive it.
  explicit RunStates(const StudyPlan& plan) : plan_(plan) {}

  /// As things are now; but what is done stays so, and its files are not read again. Throws
  /// DataError: the data cannot be read.
  RunStanding of(const StudyRun& run);

  /// Has been found to be done; nothing is read.
  bool is_known_as_done(const StudyRun& run) const { return done_.contains(run.dir); }

  /// Throws one ConfigError that lists all of `runs` that are refused. `standings` are theirs.
  void require_none_refused(const std::vector<const StudyRun*>& runs,
                            const std::vector<RunStanding>& standings) const;

 private:
  struct Teacher {
    std::string hash;  ///< of its model file; empty where that is not known yet
    bool is_trained = false;
  };

  Teacher teacher_of(const StudyRun& student);
  Identity identity_of(const StudyRun& run, const std::string& teacher_hash);
  /// Of a damaged run: what its model file was, if it is the run that was planned.
  std::string recorded_hash(const StudyRun& teacher, const std::string& which);
  const std::map<std::string, std::string>& data_content(const DataOptions& options);
  const std::string& init_hash(const TrainOptions& options);

  const StudyPlan& plan_;
  std::map<std::string, std::map<std::string, std::string>> data_contents_;
  std::map<std::string, std::string> init_hashes_;                             ///< by `train.init`
  std::map<std::pair<std::string, std::string>, std::string> teacher_hashes_;  ///< of trained ones
  std::set<std::filesystem::path> done_;                                       ///< folders of runs
};

}  // namespace limbeck
