#include "nn/kernels.h"

#include <limits>

#include "nn/double_leaf.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

// Each kernel against LibTorch's operators in double precision, at every level of this processor.

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

struct DepthwiseCase {
  int64_t channels, frames, bins, kernel_time, kernel_freq, stride, dilation, before, after;
};

class DepthwiseKernel : public testing::TestWithParam<std::tuple<CpuLevel, DepthwiseCase>> {};

TEST_P(DepthwiseKernel, EqualsPaddedConvolutionForwardAndBackward) {
  const auto& [level, o] = GetParam();
  for (const bool with_bias : {true, false}) {
    auto x = channels_last(normal({2, o.channels, o.frames, o.bins}, 1)).requires_grad_();
    auto weight = normal({o.channels, 1, o.kernel_time, o.kernel_freq}, 2).requires_grad_();
    auto bias = with_bias ? normal({o.channels}, 3).requires_grad_() : at::Tensor();
    const auto y =
        nn::depthwise_conv(x, weight, bias, {o.stride, o.dilation, o.before, o.after, level});
    EXPECT_TRUE(nn::has_kernel(y));

    auto x2 = double_leaf(x), weight2 = double_leaf(weight), bias2 = double_leaf(bias);
    const auto padded =
        at::constant_pad_nd(x2, {o.kernel_freq / 2, o.kernel_freq / 2, o.before, o.after}, 0);
    const auto y2 = at::conv2d(padded, weight2, bias2, {1, o.stride}, at::IntArrayRef({0, 0}),
                               {o.dilation, 1}, o.channels);
    EXPECT_LT(relative_difference(y, y2), 1e-6);
    const auto probe = normal(y.sizes().vec(), 4);
    (y * probe).sum().backward();
    (y2 * probe).sum().backward();
    EXPECT_LT(relative_difference(x.grad(), x2.grad()), 1e-6);
    EXPECT_LT(relative_difference(weight.grad(), weight2.grad()), 1e-5);
    if (with_bias) {
      EXPECT_LT(relative_difference(bias.grad(), bias2.grad()), 1e-5);
    }
  }
}

std::vector<DepthwiseCase> depthwise_cases() {
  std::vector<DepthwiseCase> cases = {
      {24, 9, 16, 3, 3, 1, 1, 2, 0}, {17, 9, 16, 3, 5, 2, 1, 2, 0},  {6, 12, 15, 3, 3, 2, 2, 4, 0},
      {5, 12, 7, 4, 1, 1, 3, 6, 3},  {33, 5, 9, 1, 3, 3, 1, 0, 0},   {1, 8, 4, 3, 3, 1, 1, 0, 0},
      {8, 1, 5, 3, 7, 1, 1, 1, 1},   {144, 6, 13, 3, 3, 1, 1, 2, 0}, {10, 4, 9, 2, 1, 2, 1, 1, 0},
      {3, 1, 1, 3, 3, 2, 1, 2, 0},   {12, 3, 1, 3, 3, 1, 1, 1, 1},   {7, 5, 2, 5, 5, 3, 1, 4, 0},
      {97, 4, 11, 2, 3, 2, 1, 1, 0}, {20, 2, 40, 3, 3, 1, 4, 8, 0}};
  // Tails of every width behind the widest registers, and of every number of places.
  for (int64_t more = 1; more < 16; ++more)
    cases.push_back({16 + more, 3, 4 + more, 3, 3, 1, 1, 2, 0});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, DepthwiseKernel,
                         testing::Combine(testing::ValuesIn(cpu_levels()),
                                          testing::ValuesIn(depthwise_cases())));

class NormKernel
    : public testing::TestWithParam<std::tuple<CpuLevel, nn::Activate, bool, int64_t>> {};

TEST_P(NormKernel, EqualsBatchNormAndActivationForwardAndBackward) {
  const auto& [level, activate, training, channels] = GetParam();
  // Means far from zero, and small and large deviations.
  const auto spread = normal({1, channels, 1, 1}, 5).exp();
  auto x =
      channels_last(normal({3, channels, 7, 11}, 6) * spread + 10 * normal({1, channels, 1, 1}, 7))
          .requires_grad_();
  auto weight = normal({channels}, 8).requires_grad_();
  auto bias = normal({channels}, 9).requires_grad_();
  auto slope = activate == nn::Activate::prelu ? normal({channels}, 10).abs().requires_grad_()
                                               : at::Tensor();
  auto mean = 10 * normal({channels}, 7), var = normal({channels}, 11).abs() + 0.1;

  auto x2 = double_leaf(x), weight2 = double_leaf(weight), bias2 = double_leaf(bias),
       slope2 = double_leaf(slope);
  auto mean2 = mean.to(torch::kDouble), var2 = var.to(torch::kDouble);

  const auto y = nn::batch_norm_activate(x, weight, bias, slope, mean, var,
                                         {training, 0.1, 1e-5, activate, {}, level});
  const auto z2 = at::batch_norm(x2, weight2, bias2, mean2, var2, training, 0.1, 1e-5, false);
  const auto y2 = activate == nn::Activate::relu6   ? at::hardtanh(z2, 0, 6)
                  : activate == nn::Activate::prelu ? at::prelu(z2, slope2)
                  : activate == nn::Activate::silu  ? at::silu(z2)
                                                    : z2;
  EXPECT_TRUE(nn::has_kernel(y));
  EXPECT_LT(relative_difference(y, y2), 1e-5);
  EXPECT_LT(relative_difference(mean, mean2), 1e-6);
  EXPECT_LT(relative_difference(var, var2), 1e-5);
  const auto probe = normal(y.sizes().vec(), 12);
  (y * probe).sum().backward();
  (y2 * probe).sum().backward();
  EXPECT_LT(relative_difference(x.grad(), x2.grad()), 1e-4);
  EXPECT_LT(relative_difference(weight.grad(), weight2.grad()), 1e-4);
  EXPECT_LT(relative_difference(bias.grad(), bias2.grad()), 1e-4);
  if (slope.defined()) {
    EXPECT_LT(relative_difference(slope.grad(), slope2.grad()), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, NormKernel,
                         testing::Combine(testing::ValuesIn(cpu_levels()),
                                          testing::Values(nn::Activate::none, nn::Activate::relu6,
                                                          nn::Activate::prelu, nn::Activate::silu),
                                          testing::Bool(),
                                          testing::Values<int64_t>(1, 12, 17, 40, 161)));

TEST(Kernels, KeepWhatIsNoNumber) {
  for (const CpuLevel level : cpu_levels()) {
    for (const auto activate :
         {nn::Activate::none, nn::Activate::relu6, nn::Activate::prelu, nn::Activate::silu}) {
      auto x = channels_last(normal({1, 20, 3, 5}, 20));
      x[0][7][1][2] = std::numeric_limits<float>::quiet_NaN();
      const auto one = torch::ones({20}), none = torch::zeros({20});
      const auto y = nn::batch_norm_activate(
          x, one, none, activate == nn::Activate::prelu ? one : at::Tensor(), none.clone(),
          one.clone(), {false, 0.1, 1e-5, activate, {}, level});
      EXPECT_TRUE(at::equal(y.isnan(), x.isnan())) << to_string(level);
    }
  }
}

TEST(Kernels, NumberOfThreadsChangesNoBit) {
  const auto run = [](CpuLevel level, int threads) {
    at::set_num_threads(threads);
    auto x = channels_last(normal({4, 24, 50, 32}, 13)).requires_grad_();
    auto weight = normal({24, 1, 3, 3}, 14).requires_grad_();
    auto scale = normal({24}, 15).requires_grad_(), bias = normal({24}, 16).requires_grad_();
    const auto y = nn::batch_norm_activate(
        nn::depthwise_conv(x, weight, at::Tensor(), {1, 1, 2, 0, level}), scale, bias, at::Tensor(),
        torch::zeros({24}), torch::ones({24}), {true, 0.1, 1e-5, nn::Activate::relu6, {}, level});
    (y * normal(y.sizes().vec(), 17)).sum().backward();
    at::set_num_threads(1);
    return std::vector<at::Tensor>{y.detach(), x.grad(), weight.grad(), scale.grad(), bias.grad()};
  };
  for (const CpuLevel level : cpu_levels()) {
    const auto one = run(level, 1), three = run(level, 3);
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(same_bits(one[i], three[i])) << to_string(level) << ' ' << i;
    }
  }
}

}  // namespace
}  // namespace limbeck::test
