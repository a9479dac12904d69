#include <torch/types.h>

#include "train/clip.h"

namespace limbeck {
namespace {

struct NormOptions : config::Component<NormOptions> {
  double max_norm = 5;

  void describe(config::Visitor& v) override {
    v.value("max_norm", max_norm, "largest joint norm of a module's gradients", config::above(0));
  }
};

class ClipNorm : public Clip {
 public:
  explicit ClipNorm(const NormOptions& options) : options_(options) {}

  void apply(const std::vector<at::Tensor>& gradients, const at::Tensor& norm) const override {
    at::_foreach_mul_(gradients, (options_.max_norm / (norm + 1e-12)).clamp_max(1));
  }

 private:
  NormOptions options_;
};

}  // namespace

void add_clip_norm(ClipRegistry& registry) {
  registry.add<ClipNorm, NormOptions>(
      "norm",
      "the gradients of a module (the network; what a term trains beside it) are scaled alike, so "
      "that their joint norm is at most max_norm");
}

}  // namespace limbeck
