#pragma once

#include "objective/terms/paired_term.h"

namespace limbeck::objective {

struct CosineOptions : config::Component<CosineOptions> {
  TapOptions taps;
  std::string granularity = "frame";
  AdapterOptions adapter;
  double epsilon = 1e-6;
  void describe(config::Visitor& v) override;
};

/// The proposed distillation (arXiv 2505.03442): mean over vectors of 1 − cos(A(z_S), sg(z_T)). A
/// vector is the C·F values of a frame, the C values of a time-frequency bin, or the C·T·F values
/// of an utterance. Vectors whose teacher norm is below ε · √size take no part, nor does padding.
class Cosine : public AdaptedTerm {
 public:
  Cosine(const CosineOptions& options, const DistillContext& context)
      : AdaptedTerm(pair_taps(options.taps, context), options.adapter), options_(options) {}

 protected:
  at::Tensor compare(const at::Tensor& student, const at::Tensor& teacher,
                     const at::Tensor& mask) override;

 private:
  CosineOptions options_;
};

}  // namespace limbeck::objective
