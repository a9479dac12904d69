#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/nn/complexity.h"
#include "limbeck/nn/gru.h"
#include "limbeck/nn/layers.h"

namespace limbeck::nn {

struct TemporalOptions {
  std::string type = "none";
  int64_t hidden = 64;
  int64_t layers = 1;
  int64_t groups = 1;

  void describe(config::Visitor& v);
};

/// One way of a dual path: a GRU over the bins of a frame (both directions) or over the frames of a
/// bin (from the past on), a linear map back to the channels, a norm, and the input added.
class PathImpl : public torch::nn::Module {
 public:
  PathImpl(const TemporalOptions& options, int64_t channels, const std::string& norm,
           bool over_bins);
  at::Tensor forward(const at::Tensor& x, StreamState* stream);
  void fuse() { output_->fold(*norm_); }
  LayerCost cost(const std::string& name, int64_t bins) const;

 private:
  bool over_bins_;
  Gru recurrent_;
  Conv output_;
  Norm norm_;
};
TORCH_MODULE(Path);

/// Memory over frames at the narrowest place of the autoencoder. "none": identity. "gru": a
/// unidirectional GRU over the C·F vector of each frame, and a linear map back, added to the input.
/// "dual_path": `layers` times a path over the bins and one over the frames, whose weights all bins
/// share (DPRNN, arXiv 1910.06379, over frequency as in DPCRN, arXiv 2107.05429, and GTCRN).
class TemporalImpl : public torch::nn::Module {
 public:
  TemporalImpl(const TemporalOptions& options, int64_t channels, int64_t bins,
               const std::string& norm);
  /// [B, C, T, F] → [B, C, T, F]. With `stream`, `x` holds the next frames of a stream.
  at::Tensor forward(const at::Tensor& x, StreamState* stream = nullptr);
  void fuse();
  std::vector<LayerCost> costs() const;

 private:
  TemporalOptions options_;
  int64_t bins_;
  int64_t width_;  // C·F
  Gru recurrent_{nullptr};
  at::Tensor output_weight_;  // [C·F, hidden]
  at::Tensor output_bias_;    // [C·F]
  std::vector<Path> paths_;
};
TORCH_MODULE(Temporal);

}  // namespace limbeck::nn
