#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"

namespace limbeck {

/// Euclidean, of all together; a scalar on their device.
at::Tensor joint_norm(const std::vector<at::Tensor>& gradients);

/// What is done about gradients that are too large.
class Clip {
 public:
  virtual ~Clip() = default;
  /// Changes the gradients of one module in place. `norm` is their joint norm, a scalar that must
  /// not be read: it may stand on a device that is still at work.
  virtual void apply(const std::vector<at::Tensor>& gradients, const at::Tensor& norm) const = 0;
};

using ClipRegistry = Registry<config::ComponentOptions, Clip>;
/// All ways by name; filled in builtin_clips.cpp.
const ClipRegistry& clips();

}  // namespace limbeck
