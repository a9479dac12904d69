#include <torch/types.h>

#include "objective/bounded_gradient.h"
#include "objective/terms/gram.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct AttentionOptions : config::Component<AttentionOptions> {
  TapOptions taps;
  void describe(config::Visitor& v) override { taps.describe(v); }
};

/// Attention transfer (Zagoruyko and Komodakis, arXiv 1612.03928, equation 2, p = 2, with the mean
/// square for the norm): mean (â_S − sg(â_T))², â an utterance's map a(t, f) = mean over C of f²,
/// divided by its norm over all valid frames and bins. The teacher's map, an energy, is what moves
/// to the student's grid. Each utterance counts the same. See bounded_gradient for silent ones.
class Attention : public PairedTerm {
 public:
  Attention(const AttentionOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)) {}

 private:
  at::Tensor compare(size_t index, const DistillInput& input) override {
    TapPair& pair = pairs_[index];
    const auto energy = [](const at::Tensor& x) {
      return x.square().mean(1, true);  // [B, 1, T, F]
    };
    const auto feature = pair.student_feature(input);
    const auto mask = input.frame_mask.to(feature.dtype());
    const auto frames = mask.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
    const auto s = energy(bounded_gradient(feature * frames, {1, 2, 3}));
    const auto t =
        pair.to_student(energy(pair.teacher_feature(input)), s.size(2), input.teacher_frame_mask);
    const auto difference = unit_rows(s.flatten(1)) - unit_rows((t * frames).flatten(1));
    const auto values = mask.sum(1) * s.size(3);  // [B]
    return (difference.square().sum(1) / values.clamp_min(1)).mean();
  }
};

}  // namespace

void add_attention(DistillTermRegistry& registry) {
  registry.add<Attention, AttentionOptions>("attention", "maps of energy over time and frequency");
}

}  // namespace limbeck::objective
