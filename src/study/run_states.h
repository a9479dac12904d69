#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/run/identity.h"
#include "limbeck/study/study.h"

namespace limbeck {

/// How a run of a study stands to what lies in its folder.
enum class RunState {
  to_train,
  to_train_anew,  ///< in place of another run that came to nothing
  to_resume,
  done,
  after_teacher,  ///< what it will be is known once its teacher is trained
  damaged,        ///< trained, but it cannot be read
  refused,        ///< another run lies there
};

/// "to train", …
const char* state_name(RunState state);

struct RunStanding {
  RunState state = RunState::to_train;
  /// What is damaged; or which facts of the run that lies there are not those planned.
  std::vector<std::string> reasons;
};

/// Holds the runs of a plan against what lies in their folders, by their identities.
class RunStates {
 public:
  /// The plan must outlive it.
  explicit RunStates(const StudyPlan& plan) : plan_(plan) {}

  /// As things are now. Throws DataError: the data cannot be read.
  RunStanding of(const StudyRun& run);

  /// Throws one ConfigError that lists all of `runs` that are refused.
  void require_none_refused(const std::vector<const StudyRun*>& runs);

 private:
  /// Empty where that is not known yet.
  std::string teacher_hash(const StudyRun& student);
  const std::map<std::string, std::string>& data_content(const DataOptions& options);

  const StudyPlan& plan_;
  std::map<std::string, std::map<std::string, std::string>> data_contents_;
  std::map<std::pair<std::string, std::string>, std::string> teacher_hashes_;  ///< of trained ones
};

}  // namespace limbeck
