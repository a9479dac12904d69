#include "objective/terms/attention.h"

#include <torch/types.h>

#include "objective/terms/gram.h"

namespace limbeck::objective {

at::Tensor Attention::compare(size_t index, const DistillInput& input) {
  TapPair& pair = pairs_[index];
  const auto energy = [](const at::Tensor& x) { return x.square().mean(1, true); };  // [B, 1, T, F]
  const auto s = energy(pair.student_feature(input));
  const auto t =
      pair.to_student(energy(pair.teacher_feature(input)), s.size(2), input.teacher_frame_mask);
  const auto mask = input.frame_mask.to(s.dtype());
  const auto frames = mask.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
  const auto difference = unit_rows((s * frames).flatten(1)) - unit_rows((t * frames).flatten(1));
  const auto values = mask.sum(1) * s.size(3);  // [B]
  return (difference.square().sum(1) / values.clamp_min(1)).mean();
}

}  // namespace limbeck::objective
