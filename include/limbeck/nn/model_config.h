#pragma once

#include "limbeck/config/schema.h"

namespace limbeck::nn {

/// Section `model:`: `name` and the options of that network.
struct ModelConfig {
  ModelConfig();
  config::Chosen chosen;
  void describe(config::Visitor& v);
};

}  // namespace limbeck::nn
