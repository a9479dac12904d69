#pragma once

#include "objective/terms/paired_term.h"

namespace limbeck::objective {

struct FitNetOptions : config::Component<FitNetOptions> {
  TapOptions taps;
  AdapterOptions adapter;
  void describe(config::Visitor& v) override;
};

/// Hints (Romero et al., FitNets, arXiv 1412.6550, equation 3, with the mean for the halved sum):
/// mean over the values of valid frames of (A(f_S) − sg(f_T))².
class FitNet : public AdaptedTerm {
 public:
  FitNet(const FitNetOptions& options, const DistillContext& context)
      : AdaptedTerm(pair_taps(options.taps, context), options.adapter) {}

 protected:
  at::Tensor compare(const at::Tensor& student, const at::Tensor& teacher,
                     const at::Tensor& mask) override;
};

}  // namespace limbeck::objective
