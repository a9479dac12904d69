#include <torch/types.h>

#include "train/optimizer.h"

namespace limbeck {
namespace {

struct AdamWOptions : config::Component<AdamWOptions> {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;

  void describe(config::Visitor& v) override {
    v.value("lr", lr, "peak learning rate", config::above(0));
    v.value("beta1", beta1, "decay of the gradient's mean", config::between(0, 0.9999));
    v.value("beta2", beta2, "decay of the squared gradient's mean", config::between(0, 0.999999));
    v.value("epsilon", epsilon, "added to the denominator", config::above(0));
    v.value("weight_decay", weight_decay, "decay of matrices and kernels, times the learning rate",
            config::between(0, 1));
  }
};

class AdamW : public Optimizer {
 public:
  AdamW(const AdamWOptions& options, const std::vector<TrainedParameter>& parameters)
      : Optimizer(options.lr, parameters), options_(options) {
    add_state("average");
    add_state("square");
    add_scalar_state("steps");
  }

  void step(double lr) override {
    at::NoGradGuard no_grad;
    for (Group& group : groups()) {
      at::_foreach_add_(group.state["steps"], 1);
      at::_fused_adamw_(group.parameters, group.gradients, group.state["average"],
                        group.state["square"], {}, group.state["steps"], lr, options_.beta1,
                        options_.beta2, group.decays ? options_.weight_decay : 0, options_.epsilon,
                        false, false);
    }
  }

 private:
  AdamWOptions options_;
};

}  // namespace

void add_adamw(OptimizerRegistry& registry) {
  registry.add<AdamW, AdamWOptions>("adamw",
                                    "AdamW, Loshchilov and Hutter, arXiv 1711.05101: steps of the "
                                    "mean gradient over the root of its mean square");
}

}  // namespace limbeck
