#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "limbeck/train/config.h"

namespace limbeck {

/// Factor on the learning rate before step `step` (from 0) of `steps`: linear from 0 over the
/// warm-up, then half a cosine down to final_ratio (Loshchilov and Hutter, arXiv 1608.03983,
/// without restarts).
double schedule_factor(const ScheduleOptions& options, int64_t step, int64_t steps);

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over the parameters of named modules. Weight
/// decay acts on matrices and kernels, not on biases, norms and slopes. A parameter without
/// gradient stays as it is, its state included. State is kept and saved by parameter name.
class AdamW {
 public:
  AdamW(const OptimizerOptions& options, const std::map<std::string, torch::nn::Module*>& modules);

  void zero_grad();
  /// Scales the gradients so that their joint norm is at most clip_norm, and updates the parameters
  /// with learning rate lr · factor. Returns the norm before clipping, a scalar that stays on the
  /// device.
  at::Tensor step(double factor);

  std::map<std::string, at::Tensor> state() const;
  /// Throws CheckpointError, starting with `source`, unless names and shapes agree.
  void load_state(const std::map<std::string, at::Tensor>& state, const std::string& source);

 private:
  struct Group {
    double weight_decay;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, averages, squares, steps;
  };

  /// Those of its parameters that have a gradient, without names.
  Group with_gradient(const Group& group) const;

  OptimizerOptions options_;
  std::vector<Group> groups_;
};

}  // namespace limbeck
