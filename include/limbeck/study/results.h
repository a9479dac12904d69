#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"

namespace limbeck {

/// A cell of a study's grid: what is repeated over seeds.
struct StudyArm {
  size_t scenario = 0;
  size_t method = 0;
  size_t sweep = 0;
  auto operator<=>(const StudyArm&) const = default;
};

/// A run that was scored; its scores stand under `id` in the tables.
struct ScoredRun {
  std::string id;
  std::string label;
  std::optional<StudyArm> arm;  ///< none: a teacher
  std::string teacher;          ///< that it is, or follows
  int64_t teacher_seed = 0;
  int64_t seed = 0;
  int64_t parameters = 0;
  double macs_per_second = 0;
  int64_t skipped_steps = 0;
  Environment environment = {};  ///< in which it was trained
};

/// A run of the grid without scores on a set (all sets: `set` is empty), and why: it failed, it is
/// not done yet; or a training of a search that has not ended.
struct MissingRun {
  std::string label;
  std::optional<StudyArm> arm;  ///< of a student
  std::string set;
  std::string reason;
  std::string teacher = {};  ///< this and what follows as in ScoredRun; empty: of a search
  int64_t teacher_seed = 0;
  int64_t seed = 0;
};

/// The points that were tried for a method, and which was taken.
struct SearchOutcome {
  std::string scenario;
  std::string method;
  std::string by;  ///< the value of validation that chose
  bool higher_is_better = true;
  struct Point {
    std::string name;
    std::vector<double> values;  ///< by seed; NaN: failed
  };
  std::vector<Point> points;
  std::optional<size_t> chosen;
};

/// All that the report of a study is made from.
struct StudyResults {
  std::vector<Metric> metrics;
  std::vector<std::string> sweep = {""};  ///< names of the sweep's points; one empty name: none
  std::vector<ScoredRun> runs;
  std::map<std::string, ResultTable> tables;  ///< by set; a run may be missing in some
  /// What has to be said of the results on a set: that it is partial, that it leaks.
  std::map<std::string, std::vector<std::string>> notes;
  std::vector<MissingRun> missing;
  std::vector<SearchOutcome> searches;
  std::vector<std::string> unfair;  ///< arms that began differently, or do not say how
};

}  // namespace limbeck
