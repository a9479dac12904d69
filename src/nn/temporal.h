#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>

#include "limbeck/core/registry.h"
#include "nn/norm.h"
#include "nn/part.h"

namespace limbeck::nn {

/// Where a temporal model stands.
struct TemporalPlace {
  int64_t channels = 1;
  int64_t bins = 1;
  NormKind norm = NormKind::batch;  ///< that of the network
};

struct TemporalOptions : config::ComponentOptions {
  /// Empty if the model can work on so many channels, else what is wrong.
  virtual std::string problem(int64_t /*channels*/) const { return ""; }
  /// Numbers that the model will keep there: what it learns, and running statistics.
  virtual int64_t values(const TemporalPlace& place) const = 0;
};

/// Memory over frames at the narrowest place of the autoencoder: [B, C, T, F] → [B, C, T, F].
class TemporalModel : public torch::nn::Module, public Part {};

using TemporalRegistry = Registry<TemporalOptions, TemporalModel, const TemporalPlace&>;
/// All temporal models by type; filled in builtin_temporal.cpp.
const TemporalRegistry& temporal_models();

/// Section `temporal:`: `type` and the options of that model.
struct TemporalConfig {
  config::Chosen chosen{temporal_models(), "none"};
  void describe(config::Visitor& v) {
    v.choice("type", chosen, temporal_models(), "temporal model at the latent");
  }
  const TemporalOptions& options() const { return chosen.as<TemporalOptions>(); }
};

}  // namespace limbeck::nn
