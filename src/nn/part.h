#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/nn/complexity.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {

struct Pass;

/// A part of a network: a feature map in, another one out.
class Part {
 public:
  virtual ~Part() = default;
  /// [B, C, T, F] → [B, C', T, out_bins(F)].
  virtual at::Tensor forward(const at::Tensor& x, const Pass& pass) = 0;
  /// Folds batch norms into the convolutions before them.
  virtual void fuse() {}
  virtual int64_t out_bins(int64_t bins) const { return bins; }
  /// For an input of `bins` bins. A part of several layers adds to `name`; one that counts for
  /// nothing gives none.
  virtual std::vector<LayerCost> costs(const std::string& name, int64_t bins) const = 0;
};

}  // namespace limbeck::nn
