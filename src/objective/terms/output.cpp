#include "limbeck/objective/distill.h"
#include "limbeck/objective/objective.h"

namespace limbeck::objective {
namespace {

/// The run's own denoising objective with the teacher's estimate as its target: L_denoise(ŝ_S,
/// sg(ŝ_T)) (response-based distillation after Hinton et al., arXiv 1503.02531).
class Output : public DistillTerm {
 public:
  Output(const config::NoOptions&, const DistillContext& context)
      : objective_(register_module("objective", std::make_shared<Objective>(context.objective))) {}
  bool needs_teacher_estimate() const override { return true; }

 private:
  at::Tensor distance(const DistillInput& input) override {
    LossReport report;
    objective_->add_to(report, {input.student_estimate, input.teacher_estimate, input.sample_mask});
    return report.total;
  }

  std::shared_ptr<Objective> objective_;
};

}  // namespace

void add_output(DistillTermRegistry& registry) {
  registry.add<Output, config::NoOptions>("output", "the teacher's estimate as the target");
}

}  // namespace limbeck::objective
