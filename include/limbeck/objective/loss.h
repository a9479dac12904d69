#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"
#include "limbeck/objective/config.h"

// Legend: B batch, C channel, T frame, F bin, L sample.

namespace limbeck::objective {

/// What a denoising loss compares.
struct LossInput {
  at::Tensor estimate;  ///< [B, L]
  at::Tensor clean;     ///< [B, L]
  at::Tensor mask;      ///< [B, L], 1 in the signal, 0 in padding; undefined: no padding
};

/// A denoising loss.
class Loss : public torch::nn::Module {
 public:
  /// A scalar, in double if the signals are, else in float32: mixed precision, where it is on, ends
  /// here.
  at::Tensor forward(const LossInput& input);

 protected:
  /// The mean over the batch of what each item gives. Padding takes no part.
  virtual at::Tensor compute(const LossInput& input) = 0;
};

using LossRegistry = Registry<config::ComponentOptions, Loss>;
/// All losses by name; filled in builtin_losses.cpp.
const LossRegistry& losses();

}  // namespace limbeck::objective
