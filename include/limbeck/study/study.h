#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/error.h"
#include "limbeck/core/log.h"
#include "limbeck/metric/metric.h"
#include "limbeck/objective/config.h"
#include "limbeck/train/config.h"

namespace limbeck {

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

/// A way to train the student; without terms it is trained from scratch.
struct StudyMethod {
  std::string name;
  objective::DistillOptions distill;
  void describe(config::Visitor& v);
};

/// Section `study:`.
struct StudyOptions {
  std::string name;
  std::string dir;
  std::vector<int64_t> seeds = {1, 2, 3};
  std::vector<MetricConfig> metrics = {"si_sdr"};
  std::string baseline;
  std::vector<StudySet> sets;
  bool allow_leak = false;
  std::string device = "auto";
  int64_t threads_per_run = 1;
  int64_t jobs = 0;

  void describe(config::Visitor& v);
};

/// Everything that `limbeck-study` reads. `overrides` is merged last into every teacher and
/// student.
struct StudyConfig {
  StudyOptions study;
  std::map<std::string, config::Node> teachers;
  std::vector<StudyScenario> scenarios;
  std::vector<StudyMethod> methods;
  config::Node overrides;

  void describe(config::Visitor& v);
};

/// One training of a study, with its resolved configuration.
struct StudyRun {
  std::string label;  ///< "narrower latent, cosine, seed 2"
  std::string tool;   ///< executable that trains it
  std::filesystem::path dir;
  TrainingConfig config;
  int64_t seed = 0;
  size_t scenario = 0;  ///< of students
  size_t method = 0;    ///< of students
  std::string teacher;  ///< name of the teacher that it is, or follows
};

struct StudyPlan {
  std::filesystem::path dir;
  std::vector<StudyRun> teachers;
  std::vector<StudyRun> students;
};

/// Resolves every run's configuration and checks that taps and shapes fit and that all that name a
/// protocol name the same; throws one ConfigError with all that is wrong.
StudyPlan plan_study(const StudyConfig& config);

/// Trains what is not trained yet, each run in a process of its own (`tools` is the folder of the
/// executables), scores everything, writes results.csv, table.md and failures.csv, prints the
/// table. A failed run is reported and the rest continue; then the result is some_failed. Throws
/// Interrupted once the running trainings have saved.
ExitCode run_study(const StudyConfig& config, const std::filesystem::path& tools, bool check_only,
                   Logger& logger);

}  // namespace limbeck
