#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "limbeck/nn/model.h"

namespace limbeck::objective {

/// Area averages: row i of the result [from cells, to cells] is the share of source cell i in each
/// target cell, columns sum to 1. A target cell that no source cell touches takes the nearest one.
/// Edges ascend.
at::Tensor area_weights(const std::vector<double>& from_edges, const std::vector<double>& to_edges);

/// Averages features of one grid onto the frames and bins of another; keeps its weights from call
/// to call. Where the grids agree the tensor is passed on.
class Regridder {
 public:
  Regridder(nn::TapInfo from, nn::TapInfo to);

  /// [B, C, T, F] → [B, C, to_frames, F']. `frame_mask` [B, T] on the source's frames, 1 in the
  /// signal and 0 behind it: what lies in padding takes no part, and a target frame gets what it
  /// would get if the item stood alone. Undefined: every frame counts.
  at::Tensor operator()(const at::Tensor& feature, int64_t to_frames,
                        const at::Tensor& frame_mask = {});
  /// The frames alone: [B, C, T, F] → [B, C, to_frames, F].
  at::Tensor frames(const at::Tensor& feature, int64_t to_frames,
                    const at::Tensor& frame_mask = {});
  /// A mask on the source's frames from one on the target's, for lack of a better one: a frame
  /// counts if the target frame that its centre lies in does. [B, T'] → [B, from_frames].
  at::Tensor mask_back(const at::Tensor& to_mask, int64_t from_frames) const;

 private:
  nn::TapInfo from_, to_;
  at::Tensor bin_weights_;    // [F, F'], or undefined where the bins agree
  at::Tensor frame_weights_;  // [T, T'] of the last call
};

}  // namespace limbeck::objective
