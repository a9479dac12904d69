#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <string>

#include "limbeck/config/schema.h"
#include "limbeck/nn/layers.h"

namespace limbeck::nn {

struct TemporalOptions {
  std::string type = "none";
  int64_t hidden = 64;
  int64_t layers = 1;

  void describe(config::Visitor& v);
};

/// Memory over frames at the narrowest place of the autoencoder. "none": identity. "gru": a
/// unidirectional GRU (Cho et al., arXiv 1406.1078; gates as in PyTorch) over the C·F vector of
/// each frame, and a linear map back, added to the input.
class TemporalImpl : public torch::nn::Module {
 public:
  TemporalImpl(const TemporalOptions& options, int64_t channels, int64_t bins);
  /// [B, C, T, F] → [B, C, T, F].
  at::Tensor forward(const at::Tensor& x) const;
  int64_t macs_per_frame() const;

 private:
  TemporalOptions options_;
  int64_t width_ = 0;  // C·F
  std::vector<at::Tensor>
      recurrent_;             // per layer: input and hidden weights, input and hidden biases
  at::Tensor output_weight_;  // [C·F, hidden]
  at::Tensor output_bias_;    // [C·F]
};
TORCH_MODULE(Temporal);

}  // namespace limbeck::nn
