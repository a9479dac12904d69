#pragma once

#include "limbeck/objective/distill.h"
#include "limbeck/objective/objective.h"

namespace limbeck::objective {

struct OutputOptions : config::Component<OutputOptions> {
  void describe(config::Visitor&) override {}
};

/// The run's own denoising objective with the teacher's estimate as its target: L_denoise(ŝ_S,
/// sg(ŝ_T)) (response-based distillation after Hinton et al., arXiv 1503.02531).
class Output : public DistillTerm {
 public:
  Output(const OutputOptions&, const DistillContext& context)
      : objective_(register_module("objective", std::make_shared<Objective>(context.objective))) {}
  bool needs_teacher_estimate() const override { return true; }

 private:
  at::Tensor distance(const DistillInput& input) override;
  std::shared_ptr<Objective> objective_;
};

}  // namespace limbeck::objective
