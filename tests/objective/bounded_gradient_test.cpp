#include "objective/bounded_gradient.h"

#include "nn/support.h"

namespace limbeck::test {
namespace {

using objective::bounded_gradient;

/// The gradient of Σ cos(row, direction), at rows of which each is `x`'s.
at::Tensor gradient_of_cosines(const at::Tensor& x, const at::Tensor& counts = {}) {
  auto rows = x.clone().requires_grad_();
  const auto seen = bounded_gradient(rows, {-1}, counts);
  EXPECT_TRUE(same_bits(seen.detach(), x));
  const auto direction = normal({x.size(-1)}, 9);
  (at::matmul(seen, direction) / seen.norm(2, -1).clamp_min(1e-20)).sum().backward();
  return rows.grad();
}

TEST(BoundedGradient, AShortVectorPullsLikeOneOfATenthOfTheMeanLength) {
  auto x = normal({400, 8}, 1);
  const auto usual = gradient_of_cosines(x);
  for (const double level : {1e-15, 1e-8, 1e-3}) {
    auto with_short = x.clone();
    with_short[5].mul_(level);
    const auto gradient = gradient_of_cosines(with_short);
    const double mean_length = std::sqrt(x.square().sum(1).mean().item<double>());
    const double share = x[5].norm().item<double>() / (0.1 * mean_length);
    EXPECT_LT(relative_difference(gradient[5], usual[5] * share), 0.01) << level;
    auto others = gradient.clone();
    others[5] = usual[5];
    EXPECT_TRUE(same_bits(others, usual)) << level;  // longer ones have theirs
  }
}

TEST(BoundedGradient, AVectorOfZerosHasNone) {
  auto x = normal({6, 8}, 1);
  x[5].zero_();
  EXPECT_EQ(gradient_of_cosines(x)[5].abs().max().item<double>(), 0);
}

TEST(BoundedGradient, TheMeanIsOfWhatCounts) {
  auto x = normal({6, 8}, 1);
  x[5].mul_(1e6);
  auto counts = torch::ones({6, 1});
  EXPECT_LT(gradient_of_cosines(x, counts)[0].norm().item<double>(), 1e-3);
  counts[5] = 0;
  EXPECT_TRUE(same_bits(gradient_of_cosines(x, counts)[0],
                        gradient_of_cosines(normal({6, 8}, 1), counts)[0]));
  // Zeros do not count, however many there are.
  x[5].mul_(1e-9);
  const auto padded = at::cat({x, torch::zeros({1000, 8})});
  EXPECT_LT(relative_difference(gradient_of_cosines(padded)[5], gradient_of_cosines(x)[5]), 1e-5);
}

TEST(BoundedGradient, WhereAllIsSilentItIsBoundedTooThoughFarLarger) {
  const auto gradient = gradient_of_cosines(1e-9 * normal({6, 8}, 1));
  EXPECT_LT(gradient.abs().max().item<double>(), 3 / objective::kSilentRms);
}

TEST(BoundedGradient, BelongsToOneUseAlone) {
  auto x = torch::full({2, 2}, 1e-9).requires_grad_();
  bounded_gradient(x, {-1}).sum().backward();
  EXPECT_LT(x.grad().max().item<double>(), 0.01);
  x.mutable_grad().reset();
  (0 * bounded_gradient(x, {-1}) + x).sum().backward();
  EXPECT_EQ(x.grad().max().item<double>(), 1);
  at::NoGradGuard no_grad;  // nothing to do
  EXPECT_TRUE(bounded_gradient(x, {-1}).is_same(x));
}

}  // namespace
}  // namespace limbeck::test
