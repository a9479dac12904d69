#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/study/config.h"
#include "limbeck/study/results.h"
#include "limbeck/study/statistics.h"

namespace limbeck {

/// What a system reached by one metric. A run's value is its mean over the utterances.
struct SystemScores {
  std::vector<double> values;  ///< in the order of SystemRow::runs; NaN where it is not defined
  Summary runs;                ///< over those
  /// What the 95 % interval of the mean is made from: the runs, or where a method follows several
  /// teachers their means by `Unit`. With runs missing, its mean is not that of the runs.
  Summary units;
  InterquartileMean middle;
  std::optional<VarianceComponents> variances;  ///< where several teachers were trained
};

enum class SystemKind { noisy, teacher, student };

/// A line of a table of means: the noisy input, a teacher, or a scenario and method.
struct SystemRow {
  SystemKind kind = SystemKind::student;
  std::string scenario = {};
  std::string sweep = {};
  std::string method = {};
  std::vector<const ScoredRun*> runs = {};  ///< none of the noisy input
  size_t missing = 0;                       ///< runs of the grid that have no scores on the set
  int64_t skipped_steps = 0;                ///< of all its runs
  std::vector<SystemScores> scores = {};    ///< by metric

  size_t planned() const { return runs.size() + missing; }
};

/// What the pairs of a comparison are told by. With several teachers, runs that share one are not
/// independent, nor are those that share a seed: the values of the factor with fewer levels are
/// averaged, so that what is compared is independent given those. It is that of the study as it was
/// planned, whatever is missing.
enum class Unit { seed, teacher_seed };

/// A method against a reference in one scenario, by one metric: method − reference.
struct ArmMetric {
  std::vector<double> values;  ///< by unit
  PairedAnalysis analysis;
};

struct ArmDifference {
  std::string scenario = {};
  std::string sweep = {};
  std::string method = {};
  std::string reference = {};
  bool is_named = false;        ///< a question that the study was made for
  bool follows_teacher = true;  ///< either side does; else teachers play no part
  Unit unit = Unit::seed;
  std::vector<int64_t> units = {};  ///< seeds that both sides have
  std::vector<ArmMetric> metrics = {};
  double holm_p = std::numeric_limits<double>::quiet_NaN();  ///< of the primary metric, if named
  std::optional<HierarchicalMean> bootstrap = {};            ///< the same
};

struct SetReport {
  std::string name;
  ResultTable table;  ///< paired: all means are over the same utterances
  std::vector<std::string> notes;
  std::vector<SystemRow> systems;
  std::vector<ArmDifference> differences;  ///< the named ones first
};

/// What tables and figures show.
struct ReportData {
  size_t primary = 0;  ///< index of the metric of the named comparisons
  size_t family = 0;   ///< comparisons that are corrected together; one without a p counts as 1
  bool has_sweep = false;
  bool has_teachers = false;  ///< several of each
  std::vector<SetReport> sets;
  std::vector<std::string> warnings;  ///< what holds for all sets, a sentence each
};

/// `config` and `results` must outlive it.
ReportData report_data(const StudyConfig& config, const StudyResults& results);

/// "causal student, cosine, seed 3, set vbd_test: exit code 1".
std::string missing_text(const MissingRun& missing);

}  // namespace limbeck
