#include "objective/terms/gram.h"

#include <torch/types.h>

#include "objective/bounded_gradient.h"

namespace limbeck::objective {

at::Tensor unit_rows(const at::Tensor& x) {
  return x * x.square().sum(-1, true).clamp_min(1e-24).rsqrt();
}

at::Tensor normalized_gram(const at::Tensor& rows) {
  const auto bounded = bounded_gradient(rows, {-1});
  return unit_rows(at::matmul(bounded, bounded.transpose(-1, -2)));
}

at::Tensor frame_similarity_distance(const at::Tensor& student, const at::Tensor& teacher,
                                     const at::Tensor& mask, bool mean) {
  const auto weights = mask.t().unsqueeze(-1);  // [T, B, 1]
  // Zero vectors of items that have ended leave rows and columns of zeros on both sides.
  const auto gram = [&](const at::Tensor& x) {
    return normalized_gram(x.permute({2, 0, 1, 3}).flatten(2) * weights);  // [T, B, B]
  };
  const auto squared = (gram(student) - gram(teacher)).square().sum({1, 2});  // [T]
  const auto items = mask.sum(0).clamp_min(1);                                // [T]
  const auto sum = (squared / items.square()).sum();
  return mean ? sum / mask.amax(0).sum().clamp_min(1) : sum;
}

}  // namespace limbeck::objective
