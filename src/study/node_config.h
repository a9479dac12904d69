#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "limbeck/config/diagnostics.h"
#include "limbeck/study/plan.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// What is varied of a student.
struct StudentSettings {
  const SettingPoint* sweep = nullptr;  ///< null: nothing
  const SettingPoint* point = nullptr;  ///< of its method's search; null: nothing
  bool is_searching = false;            ///< selects by `search.by`
};

/// The configuration of a teacher, or of a student, but for what tells runs of it apart: its
/// folder, seed and teacher's folder. Adds to `diagnostics` what is wrong.
TrainingConfig read_teacher(const StudyConfig& config, const std::string& name,
                            config::Diagnostics& diagnostics);
TrainingConfig read_student(const StudyConfig& config, const std::filesystem::path& dir,
                            size_t scenario, size_t method, const StudentSettings& settings,
                            config::Diagnostics& diagnostics);

/// The configuration of a training as the study decides it, or of a cache that is filled
/// (`fill_teacher_cache`; its terms are those of all methods that read it). run.dir is the node's
/// link, <plan.dir>/<id>: who trains puts what `enter_store` returns in its place. The teacher is
/// that of the link of the node's teacher. A teacher has all cores, everything else
/// `threads_per_run`. A point selects by `search.by`.
///
/// A student gets the settings that its method's search has chosen: `choice` is the point's index,
/// and is not looked at where nothing is chosen. Throws std::invalid_argument for scores.
TrainingConfig node_config(const StudyConfig& config, const StudyPlan& plan, const StudyNode& node,
                           size_t choice);
/// The same with the choice of the runs that the links of the points lead to (`chosen_point`).
/// Throws Error where one of them has not ended.
TrainingConfig node_config(const StudyConfig& config, const StudyPlan& plan, const StudyNode& node);

/// Lengths of trainings in steps. Where they are given in epochs, the data set is looked at, once
/// for all that have the same one.
class PlannedSteps {
 public:
  /// Throws DataError: the data cannot be read.
  int64_t of(const TrainingConfig& config);
  /// Of its training data.
  int64_t items(const TrainingConfig& config);

 private:
  std::map<std::string, int64_t> items_;  ///< by data options
};

}  // namespace limbeck
