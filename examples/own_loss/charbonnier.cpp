#include <torch/types.h>

#include "limbeck/objective/loss.h"

// A denoising loss, as a file of its own: options, formula, and the function that adds it to a
// registry. It uses public headers only, so it may stand in a program of yours (see main.cpp) or,
// as it is, in src/objective/losses of the library.

namespace limbeck::objective {
namespace {

struct CharbonnierOptions : config::Component<CharbonnierOptions> {
  double epsilon = 1e-3;
  void describe(config::Visitor& v) override {
    v.value("epsilon", epsilon, "error, of full scale, up to which the loss is about quadratic",
            config::above(0));
  }
};

/// A smooth absolute error: mean over samples of √((ŝ − s)² + ε²) − ε (Charbonnier et al., Two
/// deterministic half-quadratic regularization algorithms for computed imaging, ICIP 1994).
class Charbonnier : public Loss {
 public:
  explicit Charbonnier(const CharbonnierOptions& options) : epsilon_(options.epsilon) {}

 private:
  at::Tensor compute(const LossInput& input) override {
    const auto error = input.estimate - input.clean;  // [B, L]
    const auto values = (error.square() + epsilon_ * epsilon_).sqrt() - epsilon_;
    if (!input.mask.defined()) return values.mean();
    // Each item counts the same, however long it is, and padding does not count.
    return ((values * input.mask).sum(1) / input.mask.sum(1).clamp_min(1)).mean();
  }

  double epsilon_;
};

}  // namespace

void add_charbonnier(LossRegistry& registry) {
  registry.add<Charbonnier, CharbonnierOptions>("charbonnier", "a smooth absolute error");
}

}  // namespace limbeck::objective
