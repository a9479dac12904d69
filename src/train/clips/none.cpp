#include "train/clip.h"

namespace limbeck {
namespace {

class NoClip : public Clip {
 public:
  explicit NoClip(const config::NoOptions&) {}
  void apply(const std::vector<at::Tensor>&, const at::Tensor&) const override {}
};

}  // namespace

void add_no_clip(ClipRegistry& registry) {
  registry.add<NoClip, config::NoOptions>("none", "gradients are taken as they are");
}

}  // namespace limbeck
