#include "objective/terms/similarity.h"

#include <torch/types.h>

#include "objective/terms/gram.h"

namespace limbeck::objective {

void FrameSimilarityOptions::describe(config::Visitor& v) {
  taps.describe(v);
  v.value("reduction", reduction, "over frames: the sum, as published, or the mean",
          config::one_of({"sum", "mean"}));
}

void SelfSimilarityOptions::describe(config::Visitor& v) {
  taps.describe(v);
  v.value("axis", axis, "what is compared with one another: the frames or the bins of an utterance",
          config::one_of({"time", "frequency"}));
}

at::Tensor Similarity::compare(size_t index, const DistillInput& input) {
  const TapPair& pair = pairs_[index];
  const auto gram = [](const at::Tensor& x, const at::Tensor& mask) {
    return normalized_gram((x * mask.to(x.dtype()).unsqueeze(1).unsqueeze(-1)).flatten(1));
  };
  const auto s = gram(pair.student_feature(input), input.frame_mask);  // [B, B]
  const auto t = gram(pair.teacher_feature(input), pair.teacher_mask(input));
  return (s - t).square().mean();
}

at::Tensor FrameSimilarity::compare(size_t index, const DistillInput& input) {
  TapPair& pair = pairs_[index];
  const auto s = pair.student_feature(input);
  return frame_similarity_distance(s, pair.teacher_on_student_frames(input),
                                   input.frame_mask.to(s.dtype()), mean_);
}

at::Tensor SelfSimilarity::compare(size_t index, const DistillInput& input) {
  TapPair& pair = pairs_[index];
  const auto s = pair.student_feature(input);
  const auto t =
      by_frame_ ? pair.teacher_on_student_frames(input) : pair.teacher_on_student_grid(input);
  const auto mask = input.frame_mask.to(s.dtype());
  const auto frames = mask.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
  // Rows of zeros, from padding, have cosines of zero on both sides.
  const auto cosines = [&](const at::Tensor& x) {
    const int64_t axis = by_frame_ ? 2 : 3;
    const auto rows = unit_rows((x * frames).movedim(axis, 1).flatten(2));  // [B, N, D]
    return at::matmul(rows, rows.transpose(1, 2));                          // [B, N, N]
  };
  const auto squared = (cosines(s) - cosines(t)).square().sum({1, 2});  // [B]
  if (!by_frame_) return squared.mean() / static_cast<double>(s.size(3) * s.size(3));
  return (squared / mask.sum(1).clamp_min(1).square()).mean();
}

}  // namespace limbeck::objective
