#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limbeck/nn/execution.h"
#include "limbeck/nn/model.h"
#include "limbeck/objective/config.h"

namespace limbeck::objective {

/// What a distillation term compares.
struct DistillInput {
  const nn::Taps& student;     ///< each [B, C, T, F]
  const nn::Taps& teacher;     ///< each [B, C, T, F], without gradient
  at::Tensor frame_mask = {};  ///< [B, T] on the student's frames, 1 in the signal, 0 in padding
  at::Tensor student_estimate = {};  ///< [B, L]
  at::Tensor teacher_estimate = {};  ///< [B, L], without gradient; only where a term needs it
  at::Tensor clean = {};             ///< [B, L]
  at::Tensor sample_mask = {};  ///< [B, L], 1 in the signal, 0 in padding; undefined: no padding
  /// [B, T'] on the teacher's frames. Undefined: the teacher's frames in padding are known by those
  /// of the student only.
  at::Tensor teacher_frame_mask = {};
  nn::Execution execution = {};  ///< of layers that stand beside the student
};

/// What a term is built for.
struct DistillContext {
  const nn::DenoisingModel& student;
  const nn::DenoisingModel& teacher;
  const ObjectiveConfig& objective;
  int64_t batch_size;
};

/// One way to draw a student towards its teacher. Adapters are submodules: they train and are saved
/// with the student, and never belong to it.
class DistillTerm : public torch::nn::Module {
 public:
  virtual std::vector<std::string> student_taps() const { return {}; }
  virtual std::vector<std::string> teacher_taps() const { return {}; }
  virtual bool needs_teacher_estimate() const { return false; }
  /// A scalar, in double if the features are, else in float32: mixed precision, where it is on,
  /// ends here. Padding frames take no part.
  at::Tensor forward(const DistillInput& input);

 protected:
  virtual at::Tensor distance(const DistillInput& input) = 0;
};

using DistillTermRegistry = Registry<config::ComponentOptions, DistillTerm, const DistillContext&>;
/// All terms by name; filled in builtin_terms.cpp. Builders throw ConfigError where taps,
/// shapes or the batch size do not fit.
const DistillTermRegistry& distill_terms();

}  // namespace limbeck::objective
