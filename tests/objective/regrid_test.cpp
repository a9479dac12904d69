#include "objective/regrid.h"

#include "nn/support.h"
#include "objective/fake_model.h"

namespace limbeck::test {
namespace {

using objective::area_weights;
using objective::Regridder;

std::vector<double> edges(int64_t cells, double end = 1) {
  std::vector<double> all;
  for (int64_t i = 0; i <= cells; ++i)
    all.push_back(end * static_cast<double>(i) / static_cast<double>(cells));
  return all;
}

void expect_weights(const at::Tensor& weights, std::vector<double> expected) {
  const auto wanted = torch::tensor(expected, torch::kDouble).view(weights.sizes());
  EXPECT_LT((weights - wanted).abs().max().item<double>(), 1e-12) << weights;
}

TEST(AreaWeights, KnownRatios) {
  expect_weights(area_weights(edges(4), edges(2)), {0.5, 0, 0.5, 0, 0, 0.5, 0, 0.5});        // 2:1
  expect_weights(area_weights(edges(3), edges(2)), {2. / 3, 0, 1. / 3, 1. / 3, 0, 2. / 3});  // 3:2
  expect_weights(area_weights(edges(2), edges(3)), {1, 0.5, 0, 0, 0.5, 1});                  // 2:3
  expect_weights(area_weights(edges(2), edges(4)), {1, 1, 0, 0, 0, 0, 1, 1});                // 1:2
  expect_weights(area_weights(edges(3), edges(3)), {1, 0, 0, 0, 1, 0, 0, 0, 1});
}

TEST(AreaWeights, ColumnsSumToOneAndConstantsAreKept) {
  for (const auto& [from, to] : std::vector<std::pair<std::vector<double>, std::vector<double>>>{
           {edges(5), edges(7)},
           {edges(128), edges(3)},
           {{0, 0.1, 0.7, 2}, {-1, 0, 0.05, 0.6, 3, 5}},
           {edges(4, 4000), edges(4, 8000)}}) {
    const auto weights = area_weights(from, to);
    EXPECT_LT((weights.sum(0) - 1).abs().max().item<double>(), 1e-12);
    EXPECT_GE(weights.min().item<double>(), 0);
  }
}

TEST(AreaWeights, CellsOutsideTakeTheNearest) {
  expect_weights(area_weights({0, 1, 2}, {-3, -2, 0.5, 5, 7}), {1, 1, 1. / 3, 0, 0, 0, 2. / 3, 1});
}

TEST(Regrid, SameGridIsTheSameTensor) {
  const auto x = normal({1, 2, 5, 4}, 1);
  EXPECT_TRUE(Regridder(grid(2, 4), grid(9, 4))(x, 5).is_same(x));
}

TEST(Regrid, BinsAreAveragedByTheirEdgesInHz) {
  const auto x = torch::tensor({1.f, 3.f, 5.f, 7.f, 9.f, 11.f}).view({1, 1, 1, 6});
  const auto y = Regridder(grid(1, 6), grid(1, 4))(x, 1);
  const auto expected = torch::tensor({5.f / 3, 13.f / 3, 23.f / 3, 31.f / 3}).view({1, 1, 1, 4});
  EXPECT_LT(relative_difference(y, expected), 1e-6);
  // The mean over all bands is kept where the grids cover the same range.
  EXPECT_NEAR(y.mean().item<double>(), x.mean().item<double>(), 1e-6);
}

TEST(Regrid, TimeGridsOfOtherHopsMeetAtTheSameSeconds) {
  const auto slow = grid(1, 2, 256, 512);
  const auto fast = grid(1, 2, 160, 320);
  const int64_t slow_frames = 64;
  const int64_t fast_frames = 102;  // both reach 1.02 s
  const auto ramp = [](const nn::TapInfo& info, int64_t frames) {
    const auto t =
        at::arange(frames, torch::kDouble) * info.hop_seconds + info.first_centre_seconds;
    return t.to(torch::kFloat).view({1, 1, frames, 1}).expand({1, 1, frames, 2}).contiguous();
  };
  for (const auto& [from, from_frames, to, to_frames] :
       {std::tuple(slow, slow_frames, fast, fast_frames),
        std::tuple(fast, fast_frames, slow, slow_frames)}) {
    const auto constant = torch::full({1, 1, from_frames, 2}, 3.5);
    const auto kept = Regridder(from, to)(constant, to_frames);
    ASSERT_EQ(kept.size(2), to_frames);
    EXPECT_LT((kept - 3.5).abs().max().item<double>(), 1e-5);
    // Steps of a coarse grid deviate from the line by half a step at most, away from the ends.
    const auto difference =
        (Regridder(from, to)(ramp(from, from_frames), to_frames) - ramp(to, to_frames))
            .narrow(2, 1, to_frames - 3)
            .abs();
    EXPECT_LT(difference.max().item<double>(), 0.5 * from.hop_seconds);
    // On average they do not: nothing is shifted in time.
    const auto signed_difference =
        (Regridder(from, to)(ramp(from, from_frames), to_frames) - ramp(to, to_frames))
            .narrow(2, 1, to_frames - 3);
    EXPECT_LT(std::abs(signed_difference.mean().item<double>()), 0.02 * from.hop_seconds);
  }
}

TEST(Regrid, HalfTheHopAveragesNeighbours) {
  // Frames of hop 128 are centred at 0, 8, 16 … ms as are every second of hop 256; a slow frame
  // owns its fast twin and half of each neighbour.
  auto fast = grid(1, 2, 128, 256);
  auto slow = grid(1, 2, 256, 512);
  auto x = torch::zeros({1, 1, 9, 2});
  x.select(2, 4).fill_(1);
  const auto y = Regridder(fast, slow)(x, 5).select(3, 0).flatten();
  EXPECT_LT((y - torch::tensor({0.f, 0.f, 0.5f, 0.f, 0.f})).abs().max().item<double>(), 1e-6) << y;
  x.zero_();
  x.select(2, 3).fill_(1);
  const auto z = Regridder(fast, slow)(x, 5).select(3, 0).flatten();
  EXPECT_LT((z - torch::tensor({0.f, 0.25f, 0.25f, 0.f, 0.f})).abs().max().item<double>(), 1e-6)
      << z;
}

TEST(Regrid, GradientReachesTheFeature) {
  auto x = normal({1, 2, 6, 4}, 2).requires_grad_();
  Regridder(grid(2, 4), grid(2, 3, 192, 384))(x, 7).sum().backward();
  // Every target cell has weights that sum to 1, so all of them together give their number.
  EXPECT_NEAR(x.grad().sum().item<double>(), 2 * 7 * 3, 1e-4);
}

}  // namespace
}  // namespace limbeck::test
