#pragma once

#include "limbeck/objective/adapter.h"
#include "limbeck/objective/distill.h"

namespace limbeck::objective {

struct CosineOptions : config::Component<CosineOptions> {
  std::string student = "latent";
  std::string teacher = "latent";
  std::string granularity = "frame";
  AdapterOptions adapter;
  double epsilon = 1e-6;
  void describe(config::Visitor& v) override;
};

/// The proposed distillation (arXiv 2505.03442): mean over vectors of 1 − cos(A(z_S), sg(z_T)). A
/// vector is the C·F values of a frame, the C values of a time-frequency bin, or the C·T·F values
/// of an utterance. Vectors whose teacher norm is below ε · √size take no part, nor does padding.
class Cosine : public DistillTerm {
 public:
  Cosine(const CosineOptions& options, const nn::DenoisingModel& student,
         const nn::DenoisingModel& teacher);
  std::vector<std::string> student_taps() const override { return {options_.student}; }
  std::vector<std::string> teacher_taps() const override { return {options_.teacher}; }
  at::Tensor forward(const DistillInput& input) override;

 private:
  CosineOptions options_;
  nn::TapInfo student_info_;
  nn::TapInfo teacher_info_;
  std::shared_ptr<Adapter> adapter_;
};

}  // namespace limbeck::objective
