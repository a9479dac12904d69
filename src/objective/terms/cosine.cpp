#include "objective/terms/cosine.h"

#include <torch/types.h>

namespace limbeck::objective {

void CosineOptions::describe(config::Visitor& v) {
  taps.describe(v);
  v.value("granularity", granularity, "what one cosine is taken over",
          config::one_of({"frame", "bin", "utterance"}));
  v.section("adapter", adapter, "maps the student's tap to the teacher's channels");
  v.value("epsilon", epsilon, "vectors of the teacher with a smaller root mean square take no part",
          config::at_least(0));
}

at::Tensor Cosine::compare(const at::Tensor& student, const at::Tensor& teacher,
                           const at::Tensor& mask) {
  at::Tensor s = student;
  at::Tensor t = teacher;
  at::Tensor valid = mask;  // [B, T]
  if (options_.granularity == "frame") {
    s = s.permute({0, 2, 1, 3}).flatten(2);  // [B, T, C·F]
    t = t.permute({0, 2, 1, 3}).flatten(2);
  } else if (options_.granularity == "bin") {
    s = s.permute({0, 2, 3, 1});  // [B, T, F, C]
    t = t.permute({0, 2, 3, 1});
    valid = valid.unsqueeze(-1);  // [B, T, 1]
  } else {
    const auto frames = valid.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
    s = (s * frames).flatten(1).unsqueeze(1);              // [B, 1, C·T·F]
    t = (t * frames).flatten(1).unsqueeze(1);
    valid = valid.amax(1, true);  // [B, 1]
  }
  const auto t_energy = t.square().sum(-1);
  const auto floor = options_.epsilon * options_.epsilon * static_cast<double>(t.size(-1));
  const auto counted = valid * (t_energy > floor).to(s.dtype());
  // A student's zero vector has no direction: its cosine is 0 and its gradient finite.
  const auto norms = (s.square().sum(-1).clamp_min(1e-20) * t_energy.clamp_min(1e-20)).sqrt();
  const auto distance = 1 - (s * t).sum(-1) / norms;
  return (distance * counted).sum() / counted.sum().clamp_min(1);
}

}  // namespace limbeck::objective
