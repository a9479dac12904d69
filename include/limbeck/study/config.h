#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/metric/metric.h"
#include "limbeck/objective/config.h"

namespace limbeck {

/// Dotted keys of a student's configuration ("train.optimizer.lr", "distill.terms.0.granularity"),
/// each with the values that are tried. In YAML the keys may be dotted or stand in maps.
using SettingValues = std::map<std::string, std::vector<config::Node>>;

/// A test set of a study: a manifest of pairs, or the test pairs of a protocol.
struct StudySet {
  std::string name;
  std::string manifest;
  std::string protocol;
  void describe(config::Visitor& v);
};

/// A mismatch scenario: which teacher, and the student's configuration.
struct StudyScenario {
  std::string name;
  std::string teacher;
  config::Node student;
  void describe(config::Visitor& v);
};

/// A way to train the student; without terms it is trained from scratch. The combinations of
/// `search` are the points of which one is chosen for it on validation.
struct StudyMethod {
  std::string name;
  objective::DistillOptions distill;
  SettingValues search;
  void describe(config::Visitor& v);
};

/// How the methods' own settings are chosen. A method that is not searched beside others that are
/// would be compared at a disadvantage: all have as many points, or none has any.
struct StudySearch {
  int64_t points = 0;          ///< of every method, drawn where it has more; 0: all that there are
  std::vector<int64_t> seeds;  ///< of the trainings of a point; none of the study's own
  std::string by;              ///< value of validation, as train.select; empty: what that names
  std::string scenario;        ///< whose choice is taken for all; empty: each has its own
  void describe(config::Visitor& v);
};

/// Every combination of the values is trained. Those that hold all of an entry of `exclude` are
/// left out.
struct StudySweep {
  SettingValues over;
  std::vector<std::map<std::string, config::Node>> exclude;
  void describe(config::Visitor& v);
};

/// Section `study:`.
struct StudyOptions {
  std::string name;
  std::string dir;    ///< empty: studies/<name>
  std::string store;  ///< where the runs themselves lie, by identity; empty: `store` beside `dir`
  std::vector<int64_t> seeds = {1, 2, 3};
  std::vector<int64_t> teacher_seeds;  ///< empty: each teacher with its own run.seed
  std::vector<MetricConfig> metrics = {"si_sdr"};
  std::string primary;   ///< metric of which the named comparisons are corrected; empty: the first
  std::string baseline;  ///< method that all others are compared with, seed by seed
  std::vector<std::vector<std::string>> compare;  ///< pairs of methods: [method, reference]
  std::vector<StudySet> sets;
  StudySearch search;
  bool allow_leak = false;
  std::string device = "auto";
  int64_t threads_per_run = 1;
  int64_t jobs = 0;         ///< trainings at a time; 0: as many as fit
  int64_t ask_above = 100;  ///< trainings that are begun without --yes

  void describe(config::Visitor& v);
};

/// Everything that `limbeck-study` reads. `overrides` is merged last into every teacher and
/// student.
struct StudyConfig {
  StudyOptions study;
  std::map<std::string, config::Node> teachers;
  std::vector<StudyScenario> scenarios;
  std::vector<StudyMethod> methods;
  StudySweep sweep;
  config::Node overrides;

  void describe(config::Visitor& v);
};

}  // namespace limbeck
