#include <torch/types.h>

#include "objective/bounded_gradient.h"
#include "objective/terms/gram.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct SelfSimilarityOptions : config::Component<SelfSimilarityOptions> {
  TapOptions taps;
  std::string axis = "time";
  void describe(config::Visitor& v) override {
    taps.describe(v);
    v.value("axis", axis,
            "what is compared with one another: the frames or the bins of an utterance",
            config::one_of({"time", "frequency"}));
  }
};

/// Gram matrices inside one utterance (the loss of two-step distillation, Nathoo et al., arXiv
/// 2309.08144): cosines between all pairs of frames (axis time, vectors of C·F) or of bins (axis
/// frequency, vectors of C·T); mean over an utterance's valid pairs of the squared difference, then
/// over utterances. The teacher's frames move to the student's, and for axis frequency its bins.
class SelfSimilarity : public PairedTerm {
 public:
  SelfSimilarity(const SelfSimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)), by_frame_(options.axis == "time") {}

 private:
  at::Tensor compare(size_t index, const DistillInput& input) override {
    TapPair& pair = pairs_[index];
    const auto s = pair.student_feature(input);
    const auto t =
        by_frame_ ? pair.teacher_on_student_frames(input) : pair.teacher_on_student_grid(input);
    const auto mask = input.frame_mask.to(s.dtype());
    const auto frames = mask.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
    // Rows of zeros, from padding, have cosines of zero on both sides.
    const auto cosines = [&](const at::Tensor& x) {
      const int64_t axis = by_frame_ ? 2 : 3;
      const auto rows = (x * frames).movedim(axis, 1).flatten(2);  // [B, N, D]
      const auto units = unit_rows(bounded_gradient(rows, {-1}));
      return at::matmul(units, units.transpose(1, 2));  // [B, N, N]
    };
    const auto squared = (cosines(s) - cosines(t)).square().sum({1, 2});  // [B]
    if (!by_frame_) return squared.mean() / static_cast<double>(s.size(3) * s.size(3));
    return (squared / mask.sum(1).clamp_min(1).square()).mean();
  }

  bool by_frame_;
};

}  // namespace

void add_self_similarity(DistillTermRegistry& registry) {
  registry.add<SelfSimilarity, SelfSimilarityOptions>(
      "self_similarity", "which frames or bins of an utterance are alike");
}

}  // namespace limbeck::objective
