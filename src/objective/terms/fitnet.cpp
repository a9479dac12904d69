#include "objective/terms/fitnet.h"

#include <torch/types.h>

namespace limbeck::objective {

void FitNetOptions::describe(config::Visitor& v) {
  taps.describe(v);
  v.section("adapter", adapter, "maps the student's tap to the teacher's channels");
}

at::Tensor FitNet::compare(const at::Tensor& student, const at::Tensor& teacher,
                           const at::Tensor& mask) {
  const auto frames = (student - teacher).square().mean({1, 3});  // [B, T]
  return (frames * mask).sum() / mask.sum().clamp_min(1);
}

}  // namespace limbeck::objective
