#include "objective/terms/output.h"

#include "objective/terms/paired_term.h"

namespace limbeck::objective {

at::Tensor Output::distance(const DistillInput& input) {
  LossReport report;
  objective_->add_to(report, {full_precision(input.student_estimate),
                              full_precision(input.teacher_estimate), input.sample_mask});
  return report.total;
}

}  // namespace limbeck::objective
