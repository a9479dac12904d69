#include <torch/types.h>

#include "train/optimizer.h"

namespace limbeck {
namespace {

/// How weights decay.
enum class Decay {
  coupled,    ///< as a part of the gradient, which Adam then divides by its root mean square
  decoupled,  ///< beside it
};

template <Decay decay>
struct AdamOptions : config::Component<AdamOptions<decay>> {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = decay == Decay::coupled ? 0 : 0.01;

  void describe(config::Visitor& v) override {
    v.value("lr", lr, "peak learning rate", config::above(0));
    v.value("beta1", beta1, "decay of the gradient's mean", config::between(0, 0.9999));
    v.value("beta2", beta2, "decay of the squared gradient's mean", config::between(0, 0.999999));
    v.value("epsilon", epsilon, "added to the denominator", config::above(0));
    v.value("weight_decay", weight_decay,
            decay == Decay::coupled ? "share of a matrix or kernel that is added to its gradient"
                                    : "decay of matrices and kernels, times the learning rate",
            config::between(0, 1));
  }
};

/// As PyTorch's.
template <Decay decay>
class Adam : public Optimizer {
 public:
  Adam(const AdamOptions<decay>& options, const std::vector<TrainedParameter>& parameters)
      : Optimizer(options.lr, parameters), options_(options) {
    add_state("average");
    add_state("square");
    add_scalar_state("steps");
  }

 private:
  void update(const Group& group, double lr, const at::Tensor& skipped) override {
    const auto& steps = group.state.at("steps");
    at::_foreach_add_(steps, 1 - skipped);
    const auto step = [&](const auto& function) {
      function(group.parameters, group.gradients, group.state.at("average"),
               group.state.at("square"), at::TensorList(), steps, lr, options_.beta1,
               options_.beta2, group.decays ? options_.weight_decay : 0, options_.epsilon, false,
               false, std::nullopt, skipped);
    };
    if constexpr (decay == Decay::coupled) {
      step([](auto&&... all) { at::_fused_adam_(all...); });
    } else {
      step([](auto&&... all) { at::_fused_adamw_(all...); });
    }
  }

  AdamOptions<decay> options_;
};

}  // namespace

void add_adam(OptimizerRegistry& registry) {
  registry.add<Adam<Decay::coupled>, AdamOptions<Decay::coupled>>(
      "adam",
      "Adam, Kingma and Ba, arXiv 1412.6980: steps of the mean gradient over the root of its mean "
      "square");
}

void add_adamw(OptimizerRegistry& registry) {
  registry.add<Adam<Decay::decoupled>, AdamOptions<Decay::decoupled>>(
      "adamw",
      "AdamW, Loshchilov and Hutter, arXiv 1711.05101: Adam whose weights decay beside the "
      "gradient, not as a part of it");
}

}  // namespace limbeck
