#pragma once

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

/// Section `distill:`.
struct DistillOptions {
  std::vector<DistillTermConfig> terms;
  void describe(config::Visitor& v);
};

}  // namespace limbeck::objective
