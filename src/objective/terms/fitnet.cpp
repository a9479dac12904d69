#include <torch/types.h>

#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct FitNetOptions : config::Component<FitNetOptions> {
  TapOptions taps;
  AdapterOptions adapter;
  void describe(config::Visitor& v) override {
    taps.describe(v);
    v.section("adapter", adapter, "maps the student's tap to the teacher's channels");
  }
};

/// Hints (Romero et al., FitNets, arXiv 1412.6550, equation 3, with the mean for the halved sum):
/// mean over the values of valid frames of (A(f_S) − sg(f_T))².
class FitNet : public AdaptedTerm {
 public:
  FitNet(const FitNetOptions& options, const DistillContext& context)
      : AdaptedTerm(pair_taps(options.taps, context), options.adapter) {}

 private:
  at::Tensor compare(const at::Tensor& student, const at::Tensor& teacher,
                     const at::Tensor& mask) override {
    const auto frames = (student - teacher).square().mean({1, 3});  // [B, T]
    return (frames * mask).sum() / mask.sum().clamp_min(1);
  }
};

}  // namespace

void add_fitnet(DistillTermRegistry& registry) {
  registry.add<FitNet, FitNetOptions>("fitnet", "squared difference of features");
}

}  // namespace limbeck::objective
