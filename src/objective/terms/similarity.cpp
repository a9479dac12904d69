#include <torch/types.h>

#include "objective/terms/gram.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct SimilarityOptions : config::Component<SimilarityOptions> {
  TapOptions taps;
  void describe(config::Visitor& v) override { taps.describe(v); }
};

/// Similarity-preserving distillation (Tung and Mori, arXiv 1907.09682, equations 1 to 4):
/// 1/B² ‖G_S − sg(G_T)‖²_F, G = f fᵀ with rows of unit L2 norm, f [B, C·T·F]. Which utterances of
/// the batch resemble one another; neither channels nor grids need agree.
class Similarity : public PairedTerm {
 public:
  Similarity(const SimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)) {
    require_batch(context);
  }

 private:
  at::Tensor compare(size_t index, const DistillInput& input) override {
    const TapPair& pair = pairs_[index];
    const auto gram = [](const at::Tensor& x, const at::Tensor& mask) {
      return normalized_gram((x * mask.to(x.dtype()).unsqueeze(1).unsqueeze(-1)).flatten(1));
    };
    const auto s = gram(pair.student_feature(input), input.frame_mask);  // [B, B]
    const auto t = gram(pair.teacher_feature(input), pair.teacher_mask(input));
    return (s - t).square().mean();
  }
};

}  // namespace

void add_similarity(DistillTermRegistry& registry) {
  registry.add<Similarity, SimilarityOptions>("similarity",
                                              "which utterances of the batch are alike");
}

}  // namespace limbeck::objective
