#pragma once

#include "objective/from_yaml.h"
#include "objective/tapped_model.h"

namespace limbeck::test {

/// Two networks of different hops, bins and channels, and one batch of three items.
struct Scene {
  static constexpr int64_t kSamples = 1200;
  static constexpr int64_t kStudentFrames = 6;
  static constexpr int64_t kTeacherFrames = 9;
  TappedModel student{{{"encoder.0", grid(2, 4)},
                       {"encoder.1", grid(3, 2)},
                       {"latent", grid(3, 2)},
                       {"decoder.0", grid(3, 2)},
                       {"decoder.1", grid(2, 4)}}};
  TappedModel teacher{{{"encoder.0", grid(2, 6, 160, 320)},
                       {"encoder.1", grid(4, 3, 160, 320)},
                       {"latent", grid(4, 3, 160, 320)},
                       {"decoder.0", grid(5, 3, 160, 320)},
                       {"decoder.1", grid(2, 6, 160, 320)},
                       {"mask", grid(2, 12, 160, 320)}}};
  nn::Taps student_taps = taps(student, kStudentFrames, 100);
  nn::Taps teacher_taps = taps(teacher, kTeacherFrames, 200);
  at::Tensor clean = normal({3, kSamples}, 300, 0.1);
  at::Tensor student_estimate = clean + normal({3, kSamples}, 301, 0.05);
  at::Tensor teacher_estimate = clean + normal({3, kSamples}, 302, 0.05);
  at::Tensor frame_mask = lengths_mask({6, 4, 3}, kStudentFrames);
  at::Tensor teacher_frame_mask = lengths_mask({9, 6, 5}, kTeacherFrames);
  at::Tensor sample_mask = lengths_mask({1200, 700, 500}, kSamples);

  static nn::Taps taps(const TappedModel& model, int64_t frames, uint64_t seed) {
    nn::Taps made;
    for (const auto& name : model.tap_names()) {
      const auto info = model.tap_info(name);
      made[name] = normal({3, info.channels, frames, info.bins()}, seed++);
    }
    return made;
  }

  std::vector<at::Tensor*> all() {
    std::vector<at::Tensor*> tensors = {&clean,      &student_estimate,   &teacher_estimate,
                                        &frame_mask, &teacher_frame_mask, &sample_mask};
    for (auto& [name, tensor] : student_taps) tensors.push_back(&tensor);
    for (auto& [name, tensor] : teacher_taps) tensors.push_back(&tensor);
    return tensors;
  }
  void to(at::ScalarType type) {
    for (at::Tensor* tensor : all()) *tensor = tensor->to(type);
  }
  objective::DistillInput input() {
    return {student_taps,     teacher_taps, frame_mask,  student_estimate,
            teacher_estimate, clean,        sample_mask, teacher_frame_mask};
  }
  /// The student's tensors that `term` looks at, set to require gradients.
  std::vector<std::pair<std::string, at::Tensor*>> leaves(const objective::DistillTerm& term) {
    std::vector<std::pair<std::string, at::Tensor*>> found;
    for (const auto& name : term.student_taps()) found.push_back({name, &student_taps.at(name)});
    if (found.empty()) found.push_back({"estimate", &student_estimate});
    for (auto& [name, tensor] : found) *tensor = tensor->detach().clone().requires_grad_();
    return found;
  }
};

}  // namespace limbeck::test
