#include <limits>

#include "nn/double_leaf.h"
#include "nn/inverted_bottleneck.h"
#include "nn/kernel_block.h"
#include "nn/kernels.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

// The kernel of a whole inverted bottleneck against the block of LibTorch's operators in double
// precision, at every level of this processor.

struct BlockCase {
  int64_t in, out, expansion, frames, bins, kernel_time, kernel_freq, stride, upsample, dilation,
      lookahead;
  nn::ActivationKind activation;

  nn::InvertedBottleneckOptions options() const {
    return {.in_channels = in,
            .out_channels = out,
            .expansion = expansion,
            .kernel_time = kernel_time,
            .kernel_freq = kernel_freq,
            .stride_freq = stride,
            .upsample_freq = upsample,
            .dilation_time = dilation,
            .lookahead = lookahead,
            .activation = activation};
  }
};

std::vector<BlockCase> block_cases() {
  using nn::ActivationKind;
  const auto relu6 = ActivationKind::relu6, prelu = ActivationKind::prelu,
             silu = ActivationKind::silu;
  std::vector<BlockCase> cases = {
      {12, 16, 2, 70, 16, 3, 3, 2, 1, 1, 0, prelu}, {16, 24, 2, 9, 16, 3, 3, 2, 1, 2, 0, prelu},
      {24, 16, 2, 37, 8, 3, 3, 1, 2, 2, 0, prelu},  {12, 12, 3, 7, 15, 3, 3, 1, 1, 1, 0, silu},
      {32, 48, 3, 5, 16, 3, 3, 2, 1, 1, 1, relu6},  {80, 80, 3, 4, 16, 3, 3, 1, 1, 2, 2, relu6},
      {5, 3, 2, 12, 7, 4, 1, 1, 3, 3, 3, silu},     {1, 1, 2, 6, 9, 1, 3, 1, 1, 1, 0, prelu},
      {1, 2, 5, 8, 4, 2, 5, 3, 1, 1, 1, relu6},     {7, 7, 2, 1, 1, 3, 3, 1, 1, 1, 0, prelu},
      {3, 4, 2, 1, 11, 3, 7, 1, 1, 1, 1, silu},     {17, 9, 2, 34, 3, 5, 3, 2, 1, 1, 2, prelu}};
  // Rows that fill any part of the widest registers, places of any number.
  for (int64_t n = 1; n <= 17; ++n) {
    cases.push_back({n, 18 - n, 1 + n % 3 + 1, 3, n, 2, 3, 1, 1, 1, 0,
                     n % 3 == 0   ? relu6
                     : n % 3 == 1 ? prelu
                                  : silu});
  }
  return cases;
}

/// Parameters and running statistics that are nothing special.
void shake(torch::nn::Module& module, uint64_t seed) {
  at::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    auto& p = item.value();
    if (item.key().find("norm.weight") != std::string::npos ||
        item.key().find("activation") != std::string::npos) {
      p.copy_(normal(p.sizes().vec(), ++seed).abs() + 0.2);
    } else {
      p.copy_(normal(p.sizes().vec(), ++seed));
    }
  }
  for (auto& item : module.named_buffers()) {
    if (item.value().dim() == 0) continue;
    item.value().copy_(normal(item.value().sizes().vec(), ++seed).abs() + 0.5);
  }
}

class BlockKernel : public testing::TestWithParam<std::tuple<CpuLevel, BlockCase, bool>> {};

/// The units of `block` in float32, as the kernel takes them.
std::array<nn::BlockUnit, 3> units_of(const nn::InvertedBottleneck& block) {
  const auto tensors = [&](const std::string& name) {
    const auto parameters = block->named_parameters(), buffers = block->named_buffers();
    const auto* found = parameters.contains(name) ? &parameters[name]
                        : buffers.contains(name)  ? &buffers[name]
                                                  : nullptr;
    if (found == nullptr) return at::Tensor();
    auto copy = found->detach().to(torch::kFloat).clone();
    return parameters.contains(name) ? copy.requires_grad_() : copy;
  };
  const auto unit = [&](const std::string& name) {
    const bool norm = tensors(name + "_norm.weight").defined();
    return nn::BlockUnit{tensors(name + ".weight"),
                         tensors(name + "_norm.weight"),
                         tensors(norm ? name + "_norm.bias" : name + ".bias"),
                         tensors(name + "_norm.running_mean"),
                         tensors(name + "_norm.running_var"),
                         tensors(name + "_activation.weight")};
  };
  return {unit("expand"), unit("depthwise"), unit("project")};
}

void expect_equal(const BlockCase& c, CpuLevel level, bool training, const at::Tensor& input,
                  const std::vector<int64_t>& valid_frames) {
  // Statistics of a handful of numbers may be of nearly equal ones, and lose digits.
  const double tolerance = c.frames * c.bins < 64 ? 1e-3 : 1e-4;
  const nn::InvertedBottleneckOptions o = c.options();
  nn::InvertedBottleneck block(o);
  shake(*block, 3);
  block->to(torch::kDouble);
  block->train(training);
  const std::optional<nn::ValidFrames> valid =
      valid_frames.empty()
          ? std::nullopt
          : std::optional<nn::ValidFrames>(nn::ValidFrames(valid_frames, c.frames, torch::kCPU));
  const nn::Pass plain = {.valid = valid ? &*valid : nullptr,
                          .kernels = nn::Kernels::reference,
                          .channels_last = false};
  nn::BlockOptions options = {.activate = nn::activate_of(c.activation),
                              .stride_freq = c.stride,
                              .dilation_time = c.dilation,
                              .before = (c.kernel_time - 1) * c.dilation - c.lookahead,
                              .after = c.lookahead,
                              .upsample_freq = c.upsample,
                              .residual = c.in == c.out && c.stride == 1 && c.upsample == 1,
                              .training = training,
                              .valid_frames = valid_frames,
                              .level = level};
  auto x = input.clone(at::MemoryFormat::ChannelsLast).requires_grad_();
  auto x2 = input.to(torch::kDouble).contiguous().requires_grad_();
  const auto units = units_of(block);
  const auto y = nn::inverted_bottleneck(x, units, options);
  const auto y2 = block->forward(x2, plain);
  EXPECT_TRUE(nn::has_kernel(y));
  EXPECT_LT(relative_difference(y, y2), tolerance / 2);
  const auto probe = normal(y.sizes().vec(), 2);
  (y * probe).sum().backward();
  (y2 * probe).sum().backward();
  EXPECT_LT(relative_difference(x.grad(), x2.grad()), tolerance) << "x";
  const auto parameters = block->named_parameters(), buffers = block->named_buffers();
  const char* names[] = {"expand", "depthwise", "project"};
  for (size_t i = 0; i < 3; ++i) {
    const std::string name = names[i];
    const auto expect_gradient_of = [&](const std::string& key, const at::Tensor& tensor) {
      EXPECT_LT(relative_difference(tensor.grad(), parameters[name + key].grad()), tolerance)
          << name + key;
    };
    expect_gradient_of(".weight", units[i].weight);
    expect_gradient_of("_norm.weight", units[i].scale);
    expect_gradient_of("_norm.bias", units[i].bias);
    if (units[i].slope.defined()) expect_gradient_of("_activation.weight", units[i].slope);
    EXPECT_LT(relative_difference(units[i].running_mean, buffers[name + "_norm.running_mean"]),
              1e-5)
        << name;
    EXPECT_LT(relative_difference(units[i].running_var, buffers[name + "_norm.running_var"]), 1e-5)
        << name;
  }

  at::NoGradGuard no_grad;
  block->eval();
  options.training = false;
  EXPECT_LT(relative_difference(nn::inverted_bottleneck(x, units_of(block), options),
                                block->forward(x2, plain)),
            tolerance / 2);
  block->fuse();
  EXPECT_LT(relative_difference(nn::inverted_bottleneck(x, units_of(block), options),
                                block->forward(x2, plain)),
            tolerance / 2)
      << "folded";
}

TEST_P(BlockKernel, EqualsTheBlockOfOperatorsForwardAndBackward) {
  const auto& [level, c, training] = GetParam();
  // Means far from zero, and small and large deviations.
  const auto x = normal({3, c.in, c.frames, c.bins}, 1) * normal({1, c.in, 1, 1}, 5).exp() +
                 3 * normal({1, c.in, 1, 1}, 7);
  expect_equal(c, level, training, x, {});
}

TEST_P(BlockKernel, EqualsItWithPaddingBehindTheItems) {
  const auto& [level, c, training] = GetParam();
  const std::vector<int64_t> valid = {c.frames, (c.frames + 1) / 2, 1};
  auto x = normal({3, c.in, c.frames, c.bins}, 1) + 1;
  x.masked_fill_(nn::behind(valid, c.frames, torch::kCPU).view({3, 1, c.frames, 1}), 1e3);
  expect_equal(c, level, training, x, valid);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BlockKernel,
                         testing::Combine(testing::ValuesIn(cpu_levels()),
                                          testing::ValuesIn(block_cases()), testing::Bool()));

TEST(BlockKernels, NumberOfThreadsChangesNoBit) {
  const auto run = [](CpuLevel level, int64_t channels, int threads) {
    at::set_num_threads(threads);
    const BlockCase c = {channels, channels, 3, 70, 16, 3,
                         3,        1,        1, 2,  0,  nn::ActivationKind::prelu};
    nn::InvertedBottleneck block(c.options());
    shake(*block, 3);
    const auto units = units_of(block);
    auto x = normal({4, channels, 70, 16}, 1)
                 .contiguous(at::MemoryFormat::ChannelsLast)
                 .requires_grad_();
    const auto y = nn::inverted_bottleneck(x, units,
                                           {.activate = nn::Activate::prelu,
                                            .dilation_time = 2,
                                            .before = 4,
                                            .residual = true,
                                            .training = true,
                                            .level = level});
    const auto weight = normal({7, channels, 1, 1}, 5).requires_grad_(),
               bias = normal({7}, 6).requires_grad_();
    const auto z = nn::pointwise_conv(y.permute({0, 2, 3, 1}), weight, bias, level);
    (z * normal(z.sizes().vec(), 2)).sum().backward();
    at::set_num_threads(1);
    std::vector<at::Tensor> all = {z.detach(), x.grad(), weight.grad(), bias.grad()};
    for (const auto& unit : units) {
      all.insert(all.end(),
                 {unit.weight.grad(), unit.scale.grad(), unit.bias.grad(), unit.running_var});
    }
    return all;
  };
  for (const CpuLevel level : cpu_levels()) {
    for (const int64_t channels : {24, 80}) {
      const auto one = run(level, channels, 1);
      for (const int threads : {3, 16}) {
        const auto more = run(level, channels, threads);
        for (size_t i = 0; i < one.size(); ++i) {
          EXPECT_TRUE(same_bits(one[i], more[i]))
              << to_string(level) << ' ' << channels << ' ' << i;
        }
      }
    }
  }
}

/// Statistics come from the covariance of the input, which must not cost the digits of a mean that
/// is far from zero, or of channels that are nearly the same.
TEST(BlockKernels, KeepTheDigitsOfInputsFarFromZeroAndOfNearlyEqualChannels) {
  const BlockCase c = {4, 6, 2, 40, 16, 3, 3, 1, 1, 1, 0, nn::ActivationKind::prelu};
  for (const CpuLevel level : cpu_levels()) {
    expect_equal(c, level, true, normal({3, 4, 40, 16}, 1) + 1000, {});
    const auto shared = normal({3, 1, 40, 16}, 1);
    expect_equal(c, level, true, shared + 0.01 * normal({3, 4, 40, 16}, 2), {});
  }
}

TEST(BlockKernels, KeepWhatIsNoNumber) {
  const BlockCase c = {12, 12, 2, 5, 6, 3, 3, 1, 1, 1, 0, nn::ActivationKind::relu6};
  nn::InvertedBottleneck block(c.options());
  shake(*block, 3);
  at::NoGradGuard no_grad;
  auto x = normal({1, 12, 5, 6}, 1).contiguous(at::MemoryFormat::ChannelsLast);
  x[0][7][2][3] = std::numeric_limits<float>::quiet_NaN();
  for (const CpuLevel level : cpu_levels()) {
    for (const bool training : {true, false}) {
      const auto y = nn::inverted_bottleneck(x, units_of(block),
                                             {.before = 2, .training = training, .level = level});
      // In training through the statistics everywhere, else wherever the kernel reaches.
      EXPECT_EQ(y.isnan().sum().item<int64_t>(), training ? y.numel() : 12 * 3 * 3);
    }
  }
}

struct PointwiseCase {
  int64_t in, out, rows;
};

class PointwiseKernel : public testing::TestWithParam<std::tuple<CpuLevel, PointwiseCase>> {};

TEST_P(PointwiseKernel, EqualsTheProductForwardAndBackward) {
  const auto& [level, c] = GetParam();
  for (const bool with_bias : {true, false}) {
    auto x = normal({1, c.rows, 1, c.in}, 1).requires_grad_();
    auto weight = normal({c.out, c.in, 1, 1}, 2).requires_grad_();
    auto bias = with_bias ? normal({c.out}, 3).requires_grad_() : at::Tensor();
    auto x2 = double_leaf(x), weight2 = double_leaf(weight), bias2 = double_leaf(bias);
    const auto y = nn::pointwise_conv(x, weight, bias, level);
    const auto y2 = at::linear(x2, weight2.flatten(1), bias2);
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

std::vector<PointwiseCase> pointwise_cases() {
  std::vector<PointwiseCase> cases = {{24, 16, 1000}, {80, 32, 600}, {1, 1, 1}, {112, 80, 257}};
  for (int64_t n = 1; n <= 34; ++n) cases.push_back({35 - n, n, 10 + n});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, PointwiseKernel,
                         testing::Combine(testing::ValuesIn(cpu_levels()),
                                          testing::ValuesIn(pointwise_cases())));

}  // namespace
}  // namespace limbeck::test
