#include <torch/types.h>

#include "train/optimizer.h"

namespace limbeck {
namespace {

struct SgdOptions : config::Component<SgdOptions> {
  double lr = 0.01;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;

  void describe(config::Visitor& v) override {
    v.value("lr", lr, "peak learning rate", config::above(0));
    v.value("momentum", momentum, "decay of the sum of past gradients; 0: the gradient alone",
            config::between(0, 0.9999));
    v.value("nesterov", nesterov, "look a step of the momentum ahead");
    v.value("weight_decay", weight_decay,
            "share of a matrix or kernel that is added to its gradient", config::between(0, 1));
    v.require(momentum > 0 || !nesterov, "nesterov", "needs a momentum greater than 0");
  }
};

/// As PyTorch's SGD without dampening: velocity ← momentum · velocity + gradient.
class Sgd : public Optimizer {
 public:
  Sgd(const SgdOptions& options, const std::vector<TrainedParameter>& parameters)
      : Optimizer(options.lr, parameters), options_(options) {
    if (options_.momentum > 0) add_state("velocity");
  }

 private:
  void update(const Group& group, double lr, const at::Tensor& skipped) override {
    at::TensorList velocity;
    if (options_.momentum > 0) velocity = group.state.at("velocity");
    at::_fused_sgd_(group.parameters, group.gradients, velocity,
                    group.decays ? options_.weight_decay : 0, options_.momentum, lr, 0,
                    options_.nesterov, false, false, std::nullopt, skipped);
  }

  SgdOptions options_;
};

}  // namespace

void add_sgd(OptimizerRegistry& registry) {
  registry.add<Sgd, SgdOptions>(
      "sgd", "stochastic gradient descent with momentum, Sutskever et al., ICML 2013");
}

}  // namespace limbeck
