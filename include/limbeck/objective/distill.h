#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limbeck/nn/model.h"
#include "limbeck/objective/config.h"

namespace limbeck::objective {

/// What a distillation term compares.
struct DistillInput {
  const nn::Taps& student;  ///< each [B, C, T, F]
  const nn::Taps& teacher;  ///< each [B, C, T, F], without gradient
  at::Tensor frame_mask;    ///< [B, T] on the student's frames, 1 in the signal, 0 in padding
};

/// One way to draw a student towards its teacher. Adapters are submodules: they train and are saved
/// with the student, and never belong to it.
class DistillTerm : public torch::nn::Module {
 public:
  virtual std::vector<std::string> student_taps() const = 0;
  virtual std::vector<std::string> teacher_taps() const = 0;
  /// A scalar; padding frames take no part.
  virtual at::Tensor forward(const DistillInput& input) = 0;
};

using DistillTermRegistry = Registry<config::ComponentOptions, DistillTerm,
                                     const nn::DenoisingModel&, const nn::DenoisingModel&>;
/// All terms by name; filled in builtin_distill_terms.cpp. Builders get (student, teacher) and
/// throw ConfigError where the taps do not fit.
const DistillTermRegistry& distill_terms();

}  // namespace limbeck::objective
