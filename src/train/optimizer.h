#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"

namespace limbeck {

/// A parameter under the name that its state is saved by.
struct TrainedParameter {
  std::string module;  ///< which is clipped by itself
  std::string name;
  at::Tensor value;
  double lr_factor = 1;

  /// Weight decay acts on matrices and kernels, not on biases, norms and slopes, all of which are
  /// vectors in this project.
  bool decays() const { return value.dim() >= 2; }
};

/// Those of named modules; the ones that decay first.
std::vector<TrainedParameter> trained_parameters(
    const std::map<std::string, torch::nn::Module*>& modules);

/// Moves parameters against their gradients. A parameter without gradient stays as it is, its state
/// included. State is kept and saved by parameter name, so that the order of parameters may change.
class Optimizer {
 public:
  /// `lr` is the peak, which the schedule scales.
  Optimizer(double lr, std::vector<TrainedParameter> parameters);
  virtual ~Optimizer() = default;

  double peak_lr() const { return lr_; }
  void zero_grad();
  /// By module, of the parameters that have one; the ones that decay first.
  std::map<std::string, std::vector<at::Tensor>> gradients() const;
  /// `skipped` is a scalar in float on the device, which is not read: 1 leaves everything as it is,
  /// 0 does not. Undefined: 0.
  void step(double lr, const at::Tensor& skipped = {});

  /// Forgets the gradients of the past: as before the first step. Parameters stay as they are.
  void reset_state();
  /// By "parameter/what"; shares its tensors with the optimizer.
  std::map<std::string, at::Tensor> state() const;
  /// Throws CheckpointError, starting with `source`, unless names and shapes agree.
  void load_state(const std::map<std::string, at::Tensor>& state, const std::string& source);

 protected:
  /// Zeros like every parameter, kept as `what`.
  void add_state(const std::string& what);
  /// A zero beside every parameter, kept as `what`.
  void add_scalar_state(const std::string& what);

  /// Parameters that have a gradient, as LibTorch's functions over lists take them.
  struct Group {
    bool decays;
    double lr_factor;
    std::vector<at::Tensor> parameters, gradients;
    std::map<std::string, std::vector<at::Tensor>> state;
  };

 private:
  /// Moves the parameters of a group at its learning rate, and its state, unless `skipped`.
  virtual void update(const Group& group, double lr, const at::Tensor& skipped) = 0;

  /// Of those that are treated alike.
  std::vector<Group> groups() const;

  double lr_;
  std::vector<TrainedParameter> parameters_;
  std::map<std::string, std::vector<at::Tensor>> state_;  // of each parameter
};

using OptimizerRegistry =
    Registry<config::ComponentOptions, Optimizer, const std::vector<TrainedParameter>&>;
/// All optimizers by name; filled in builtin_optimizers.cpp.
const OptimizerRegistry& optimizers();

}  // namespace limbeck
