#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nn/kernel_gru.h"
#include "nn/pass.h"

// Legend: B batch, T frame, F bin, C channel, N rows, S steps.

namespace limbeck::nn {

struct GruOptions {
  int64_t input = 1;
  int64_t hidden = 1;  ///< of all groups and directions together
  int64_t layers = 1;
  int64_t groups = 1;
  bool bidirectional = false;

  /// Numbers that they learn.
  int64_t values() const;
};

/// Gated recurrent units (Cho et al., arXiv 1406.1078; gates as in PyTorch). With groups, equal
/// pieces of the input run through a GRU of their own (Gao et al., arXiv 1804.06867), and what they
/// give is joined.
class GruImpl : public torch::nn::Module {
 public:
  explicit GruImpl(const GruOptions& options);
  /// [B, T, F, input] → [B, T, F, hidden]. In a stream, `x` holds the next frames of it; what runs
  /// along the bins keeps nothing.
  at::Tensor forward(const at::Tensor& x, Along along, const Pass& pass = {}) const;
  using torch::nn::Module::to;
  /// On a GPU the weights of a group lie in one piece, as cuDNN takes them.
  void to(torch::Device device, bool non_blocking = false) override;
  int64_t macs_per_step() const;
  /// Numbers that a stream of one row keeps.
  int64_t state_values() const { return options_.layers * options_.hidden; }

 private:
  int64_t directions() const { return options_.bidirectional ? 2 : 1; }
  /// [B, T, F, hidden] and what the units hold after the last step; `start` and that are [groups,
  /// layers · directions, N, units], or undefined: zeros, and nothing behind two directions.
  std::pair<at::Tensor, at::Tensor> by_kernel(const at::Tensor& x, Along along,
                                              const at::Tensor& start) const;
  std::pair<at::Tensor, at::Tensor> by_libtorch(const at::Tensor& x, Along along,
                                                const at::Tensor& start) const;

  GruOptions options_;
  std::vector<std::vector<at::Tensor>> weights_;  // [group]: as at::gru takes them
};
TORCH_MODULE(Gru);

/// Empty if so many groups can share the channels of latent_in, else what is wrong.
std::string problem_of_groups(int64_t groups, int64_t channels);

}  // namespace limbeck::nn
