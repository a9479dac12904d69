#include "objective/terms/paired_term.h"

#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "objective/precision.h"

namespace limbeck::objective {

void TapOptions::describe(config::Visitor& v) {
  v.value("student", student, "taps of the student", config::any().or_one());
  v.value("teacher", teacher, "taps of the teacher, one for each of the student's",
          config::any().or_one());
}

at::Tensor TapPair::student_feature(const DistillInput& input) const {
  return full_precision(input.student.at(student));
}

at::Tensor TapPair::teacher_feature(const DistillInput& input) const {
  return full_precision(input.teacher.at(teacher));
}

at::Tensor TapPair::teacher_on_student_grid(const DistillInput& input) {
  return to_student(teacher_feature(input), input.frame_mask.size(1), input.teacher_frame_mask);
}

at::Tensor TapPair::teacher_on_student_frames(const DistillInput& input) {
  return to_student.frames(teacher_feature(input), input.frame_mask.size(1),
                           input.teacher_frame_mask);
}

at::Tensor TapPair::teacher_mask(const DistillInput& input) const {
  if (input.teacher_frame_mask.defined()) return input.teacher_frame_mask;
  return to_student.mask_back(input.frame_mask, input.teacher.at(teacher).size(2));
}

std::string shape_text(const std::string& tap, const nn::TapInfo& info) {
  return format("tap '%s' [B, %d, T, %d]", tap, info.channels, info.bins());
}

std::vector<TapPair> pair_taps(const TapOptions& options, const DistillContext& context) {
  const auto& [students, teachers] = options;
  if (students.empty()) throw ConfigError("student: needs at least one tap");
  if (students.size() != teachers.size()) {
    throw ConfigError(
        format("student lists %d taps (%s) and teacher %d (%s), but they pair up one by one",
               students.size(), join(students, ", "), teachers.size(), join(teachers, ", ")));
  }
  const auto info = [](const char* side, const nn::DenoisingModel& model, const std::string& tap) {
    try {
      return model.tap_info(tap);
    } catch (const ConfigError& e) {
      throw ConfigError(std::string(side) + ": " + e.what());
    }
  };
  std::vector<TapPair> pairs;
  for (size_t i = 0; i < students.size(); ++i) {
    const auto s = info("student", context.student, students[i]);
    const auto t = info("teacher", context.teacher, teachers[i]);
    pairs.push_back({students[i], teachers[i], s, t, Regridder(t, s)});
  }
  return pairs;
}

void require_batch(const DistillContext& context) {
  if (context.batch_size > 1) return;
  throw ConfigError(
      "compares the utterances of a batch with one another, so it needs a batch size of at least "
      "2; raise the batch size, or use self_similarity, which looks inside each utterance");
}

std::vector<std::string> PairedTerm::student_taps() const {
  std::vector<std::string> names;
  for (const TapPair& pair : pairs_) names.push_back(pair.student);
  return names;
}

std::vector<std::string> PairedTerm::teacher_taps() const {
  std::vector<std::string> names;
  for (const TapPair& pair : pairs_) names.push_back(pair.teacher);
  return names;
}

at::Tensor PairedTerm::distance(const DistillInput& input) {
  at::Tensor sum = compare(0, input);
  for (size_t i = 1; i < pairs_.size(); ++i) sum = sum + compare(i, input);
  return sum / static_cast<double>(pairs_.size());
}

AdaptedTerm::AdaptedTerm(std::vector<TapPair> pairs, const AdapterOptions& options)
    : PairedTerm(std::move(pairs)) {
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const TapPair& pair = pairs_[i];
    const std::string name = pairs_.size() == 1 ? "adapter" : format("adapter_%d", i);
    const AdapterShape shape{pair.student_info.channels, pair.teacher_info.channels,
                             pair.student_info.bins()};
    try {
      std::shared_ptr<Adapter> built =
          adapters().build(options.chosen.name(), *options.chosen, shape);
      adapters_.push_back(register_module(name, built));
    } catch (const ConfigError& e) {
      throw ConfigError("student " + shape_text(pair.student, pair.student_info) + ", teacher " +
                        shape_text(pair.teacher, pair.teacher_info) + ": " + e.what());
    }
  }
}

at::Tensor AdaptedTerm::compare(size_t index, const DistillInput& input) {
  const auto s = adapters_[index]->forward(pairs_[index].student_feature(input), input.execution);
  const auto t = pairs_[index].teacher_on_student_grid(input);
  TORCH_CHECK(s.sizes() == t.sizes(), "adapted student ", s.sizes(), ", teacher ", t.sizes());
  return compare(s, t, input.frame_mask.to(s.dtype()));
}

}  // namespace limbeck::objective
