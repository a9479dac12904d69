#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"

namespace limbeck::objective {

/// One entry of `objective.losses`.
struct LossConfig {
  config::Chosen chosen;
  double weight = 1;
  void describe(config::Visitor& v);
};

/// Section `objective:`. By default compressed_spectrum with weight 1 and si_sdr with weight 0.01.
struct ObjectiveConfig {
  ObjectiveConfig();
  std::vector<LossConfig> losses;
  void describe(config::Visitor& v);
};

/// One entry of `distill.terms`.
struct DistillTermConfig {
  config::Chosen chosen;
  double weight = 1;
  void describe(config::Visitor& v);
};

/// Section `distill.balance:`: the factor λ that a term gets besides its weight.
struct BalanceOptions {
  std::string mode = "constant";
  double target = 0.5;
  int64_t steps = 200;
  void describe(config::Visitor& v);
};

/// One entry of `distill.phases`.
struct PhaseOptions {
  int64_t steps = 0;  ///< 0: to the end, which is what the last phase does
  bool task = true;
  bool distill = true;
  bool restart = true;  ///< of warm-up, schedule and what the optimizer remembers
  void describe(config::Visitor& v);
};

/// Section `distill.cache:`.
struct TeacherCacheOptions {
  std::string dir;  ///< empty: the teacher is run in every step
  std::string precision = "float32";
  double max_gb = 50;  ///< 10⁹ bytes; 0: no bound
  void describe(config::Visitor& v);
};

/// Section `distill:`.
struct DistillOptions {
  std::vector<DistillTermConfig> terms;
  BalanceOptions balance;
  std::vector<PhaseOptions> phases;  ///< none: task and terms together from the first step on
  TeacherCacheOptions cache;
  void describe(config::Visitor& v);
  /// Steps of all phases but the last.
  int64_t steps_before_last_phase() const;
};

}  // namespace limbeck::objective
