#pragma once

#include "limbeck/nn/kernel_use.h"

namespace limbeck::nn {

/// Who computes what layers outside of a network do, and who is told of it.
struct Execution {
  Kernels kernels = Kernels::fused;
  KernelUse* use = nullptr;  ///< not null: is told what ran where
};

}  // namespace limbeck::nn
