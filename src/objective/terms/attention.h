#pragma once

#include "objective/terms/paired_term.h"

namespace limbeck::objective {

struct AttentionOptions : config::Component<AttentionOptions> {
  TapOptions taps;
  void describe(config::Visitor& v) override { taps.describe(v); }
};

/// Attention transfer (Zagoruyko and Komodakis, arXiv 1612.03928, equation 2, p = 2, with the mean
/// square for the norm): mean (â_S − sg(â_T))², â an utterance's map a(t, f) = mean over C of f²,
/// divided by its norm over all valid frames and bins. The teacher's map, an energy, is what moves
/// to the student's grid. Each utterance counts the same.
class Attention : public PairedTerm {
 public:
  Attention(const AttentionOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)) {}

 protected:
  at::Tensor compare(size_t index, const DistillInput& input) override;
};

}  // namespace limbeck::objective
