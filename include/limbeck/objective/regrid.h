#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "limbeck/nn/model.h"

namespace limbeck::objective {

/// Area averages: row i of the result [from cells, to cells] is the share of source cell i in each
/// target cell, columns sum to 1. A target cell that no source cell touches takes the nearest one.
/// Edges ascend.
at::Tensor area_weights(const std::vector<double>& from_edges, const std::vector<double>& to_edges);

/// A feature [B, C, T, F] of grid `from` averaged onto the frames and bins of grid `to`, which has
/// `to_frames` frames. The same tensor where the grids agree.
at::Tensor regrid(const at::Tensor& feature, const nn::TapInfo& from, const nn::TapInfo& to,
                  int64_t to_frames);

}  // namespace limbeck::objective
