#pragma once

#include <torch/nn/module.h>

#include "limbeck/core/random.h"

namespace limbeck::nn {

/// Draws every parameter of `module` from `key` and its own name, independent of all others:
/// convolutions and matrices normal with variance 2 / fan-in (He et al., arXiv 1502.01852), linear
/// projections (`project`, `latent`, `output`, `skip`, adapters' last layer) 1 / fan-in, the `head`
/// 0.01 / fan-in, recurrent weights uniform ± 1/√hidden. Norms, slopes and the head's bias keep the
/// constants that they were built with, other biases are zero.
void initialize(torch::nn::Module& module, SeedKey key);

}  // namespace limbeck::nn
