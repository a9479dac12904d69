#pragma once

#include <ATen/core/Tensor.h>

namespace limbeck::objective {

/// Root mean square of a vector's values below which it is silent, whatever stands beside it.
constexpr double kSilentRms = 1e-6;

/// `x` as it is, for functions that look at the directions of its vectors, each of which lies along
/// `dims`. The gradient of such a function grows as 1/‖v‖, so that one silent item or frame would
/// outweigh all others together. Here a vector shorter than a tenth of the root mean square length
/// (or with a root mean square below kSilentRms) has the gradient of one of that length along its
/// own direction, and one of zeros, which has no direction, has none. The mean is over the vectors
/// with a 1 in `counts`, of x's shape with 1 for `dims`; undefined: over those that are not zero.
at::Tensor bounded_gradient(const at::Tensor& x, at::IntArrayRef dims,
                            const at::Tensor& counts = {});

}  // namespace limbeck::objective
