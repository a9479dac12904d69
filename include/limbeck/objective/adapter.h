#pragma once

#include <torch/nn/module.h>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"
#include "limbeck/nn/execution.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::objective {

/// The alignment adapter A: maps a student's feature [B, C_S, T, F] to the teacher's channels [B,
/// C_T, T, F], each frame by itself, by the kernels that `execution` asks for where it has layers
/// with kernels. Used in training only.
class Adapter : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x, const nn::Execution& execution) = 0;
};

/// What an adapter is built for.
struct AdapterShape {
  int64_t student_channels;
  int64_t teacher_channels;
  int64_t bins;
};

using AdapterRegistry = Registry<config::ComponentOptions, Adapter, const AdapterShape&>;
/// All adapters by name; filled in builtin_adapters.cpp. Builders throw ConfigError for a shape
/// that they cannot map.
const AdapterRegistry& adapters();

/// Section `adapter:` of a term.
struct AdapterOptions {
  config::Chosen chosen{adapters(), "linear"};
  void describe(config::Visitor& v);
};

}  // namespace limbeck::objective
