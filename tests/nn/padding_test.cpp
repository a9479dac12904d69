#include "nn/denoising_autoencoder.h"
#include "nn/double_leaf.h"
#include "nn/kernels.h"
#include "nn/presets.h"
#include "nn/random_model.h"
#include "objective/finite_difference.h"

// What lies behind an item's end changes nothing of what the item gives, and nothing of what it
// teaches.

namespace limbeck::test {
namespace {

const std::vector<int64_t> kFrames = {5, 2, 7};  // of 7

/// The valid frames of all items in a row: [B, C, T, F] → [1, C, ΣT, F].
at::Tensor joined(const at::Tensor& x) {
  std::vector<at::Tensor> pieces;
  for (size_t b = 0; b < kFrames.size(); ++b) {
    pieces.push_back(x.narrow(0, static_cast<int64_t>(b), 1).narrow(2, 0, kFrames[b]));
  }
  return at::cat(pieces, 2);
}

class PaddedNormKernel
    : public testing::TestWithParam<std::tuple<CpuLevel, nn::Activate, int64_t>> {};

TEST_P(PaddedNormKernel, EqualsBatchNormOfTheValidFrames) {
  const auto& [level, activate, channels] = GetParam();
  auto values = normal({3, channels, 7, 11}, 1) + 10 * normal({1, channels, 1, 1}, 2);
  const auto padding = nn::behind(kFrames, 7, torch::kCPU).view({3, 1, 7, 1});
  auto x =
      values.masked_fill(padding, 1e4).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  auto weight = normal({channels}, 3).requires_grad_(), bias = normal({channels}, 4);
  bias.requires_grad_();
  auto slope =
      activate == nn::Activate::prelu ? normal({channels}, 5).abs().requires_grad_() : at::Tensor();
  auto mean = normal({channels}, 6), var = normal({channels}, 7).abs();
  auto x2 = double_leaf(x), weight2 = double_leaf(weight), bias2 = double_leaf(bias),
       slope2 = double_leaf(slope);
  auto mean2 = mean.to(torch::kDouble), var2 = var.to(torch::kDouble);

  const auto y = nn::batch_norm_activate(x, weight, bias, slope, mean, var,
                                         {true, 0.1, 1e-5, activate, kFrames, level});
  const auto z2 = at::batch_norm(joined(x2), weight2, bias2, mean2, var2, true, 0.1, 1e-5, false);
  const auto y2 = activate == nn::Activate::relu6   ? at::hardtanh(z2, 0, 6)
                  : activate == nn::Activate::prelu ? at::prelu(z2, slope2)
                  : activate == nn::Activate::silu  ? at::silu(z2)
                                                    : z2;
  EXPECT_EQ(y.masked_select(padding).abs().max().item<float>(), 0);
  EXPECT_LT(relative_difference(joined(y), y2), 1e-5);
  EXPECT_LT(relative_difference(mean, mean2), 1e-6);
  EXPECT_LT(relative_difference(var, var2), 1e-5);
  const auto probe = normal(y.sizes().vec(), 8);  // also behind the ends, where nothing is felt
  (y * probe).sum().backward();
  (y2 * joined(probe)).sum().backward();
  EXPECT_LT(relative_difference(x.grad(), x2.grad()), 1e-4);
  EXPECT_LT(relative_difference(weight.grad(), weight2.grad()), 1e-4);
  EXPECT_LT(relative_difference(bias.grad(), bias2.grad()), 1e-4);
  if (slope.defined()) {
    EXPECT_LT(relative_difference(slope.grad(), slope2.grad()), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, PaddedNormKernel,
                         testing::Combine(testing::ValuesIn(cpu_levels()),
                                          testing::Values(nn::Activate::none, nn::Activate::relu6,
                                                          nn::Activate::prelu, nn::Activate::silu),
                                          testing::Values<int64_t>(1, 12, 300)));

TEST(PaddedNorm, GradientIsThatOfFiniteDifferences) {
  constexpr int64_t kChannels = 2;
  const nn::ValidFrames valid({3, 1}, 4, torch::kCPU);
  const auto x = normal({2, kChannels, 4, 3}, 9).to(torch::kDouble);
  const auto probe = normal(x.sizes().vec(), 10).to(torch::kDouble);
  nn::Norm norm(nn::NormKind::batch, kChannels);
  norm->to(torch::kDouble);
  for (auto& parameter : norm->parameters()) {
    at::NoGradGuard no_grad;
    parameter.add_(normal({kChannels}, 11, 0.3).to(torch::kDouble));
  }
  const auto f = [&](const at::Tensor& at) {
    return (norm->forward(at, {.valid = &valid}) * probe).sum();
  };
  expect_gradient(f, x, 1e-6);

  // The kernel knows float32 only: its gradient against those differences.
  const auto moved = x.clone();
  const auto expected = central_differences([&] { return f(moved); }, moved);
  norm->to(torch::kFloat);
  auto rows = x.to(torch::kFloat).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  ASSERT_TRUE(nn::has_kernel(rows));
  (norm->forward(rows, {.valid = &valid}) * probe).sum().backward();
  EXPECT_LT(relative_difference(rows.grad(), expected), 1e-4);
}

TEST(PaddedNorm, CumulativeNormsLookBackOnly) {
  const nn::ValidFrames valid(kFrames, 7, torch::kCPU);
  nn::Norm norm(nn::NormKind::instance, 2);
  const auto x = normal({3, 2, 7, 4}, 12);
  const auto other = at::where(nn::behind(kFrames, 7, torch::kCPU).view({3, 1, 7, 1}), 1e3, x);
  EXPECT_TRUE(same_bits(joined(norm->forward(x, {.valid = &valid})),
                        joined(norm->forward(other.to(torch::kFloat), {.valid = &valid}))));
}

/// Channels, frames, bins; the first place of each channel, and the level and noise of all others.
struct Outlier {
  int64_t channels, frames, bins;
  double first, level, noise;
};

TEST(Variance, IsNeverNegativeAndAsGoodFarFromZero) {
  // Around a mean that is far from zero, or far from the first place. Sums about the first place
  // give the last one a variance of −3.2 in place of 5.3.
  for (const Outlier& o :
       {Outlier{3, 400, 128, 1e4, 1e4, 0}, Outlier{3, 400, 128, 1e4, 1e4, 0.01},
        Outlier{3, 400, 128, 0, 3333.3, 0.01}, Outlier{3, 400, 128, 1e6, 0.1, 1e-3},
        Outlier{3, 400, 128, -1e5, 1e5, 1}, Outlier{1, 2048, 1024, 0, 1e4 / 3, 0}}) {
    SCOPED_TRACE(format("%g, %g, %g", o.first, o.level, o.noise));
    auto x = torch::full({1, o.channels, o.frames, o.bins}, o.level);
    if (o.noise > 0) x += normal(x.sizes().vec(), 13, o.noise);
    x.select(2, 0).select(2, 0).fill_(o.first);
    const auto wide = x.to(torch::kDouble);
    auto mean = torch::zeros({o.channels}), var = torch::zeros({o.channels});
    auto rows = x.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    const auto y =
        nn::batch_norm_activate(rows, torch::ones({o.channels}), torch::zeros({o.channels}), {},
                                mean, var, {true, 1.0, 1e-5, nn::Activate::none});
    y.square().sum().backward();
    EXPECT_TRUE(y.isfinite().all().item<bool>());
    EXPECT_TRUE(rows.grad().isfinite().all().item<bool>());
    const auto expected = wide.var(at::IntArrayRef{0, 2, 3}, true);
    EXPECT_GE(var.min().item<double>(), 0);
    EXPECT_LT((var.to(torch::kDouble) - expected).abs().max().item<double>(),
              1e-5 * expected.max().item<double>() + 1e-9);
    EXPECT_LT(relative_difference(mean, wide.mean(at::IntArrayRef{0, 2, 3})), 1e-6);
  }
}

/// What a batch gives and teaches: estimates, taps, gradients and running statistics.
struct Lesson {
  std::vector<at::Tensor> seen;  ///< the estimate and the taps of each item, up to its end
  std::vector<at::Tensor> taught;
};

Lesson learn(const std::function<std::shared_ptr<nn::DenoisingModel>()>& make, const at::Tensor& x,
             const std::vector<int64_t>& lengths, bool training) {
  const auto model = make();
  shake_statistics(*model);
  model->train(training);
  const auto result = model->forward(x, model->tap_names(), lengths);
  Lesson lesson;
  at::Tensor loss = torch::zeros({});
  for (int64_t b = 0; b < x.size(0); ++b) {
    const int64_t length = lengths.empty() ? x.size(1) : lengths[static_cast<size_t>(b)];
    const auto own = result.estimate[b].narrow(0, 0, length);
    lesson.seen.push_back(own.detach());
    loss = loss + (own * normal({length}, 30 + static_cast<uint64_t>(b))).sum();
    for (const auto& [name, tap] : result.taps) {
      lesson.seen.push_back(tap[b].narrow(1, 0, model->tap_frames(length)).detach());
    }
  }
  loss.backward();
  for (const auto& item : model->named_parameters()) lesson.taught.push_back(item.value().grad());
  for (const auto& item : model->named_buffers()) lesson.taught.push_back(item.value());
  return lesson;
}

void expect_same(const Lesson& a, const Lesson& b) {
  ASSERT_EQ(a.seen.size(), b.seen.size());
  for (size_t i = 0; i < a.seen.size(); ++i) {
    EXPECT_LT(relative_difference(a.seen[i], b.seen[i]), 1e-4) << "output " << i;
  }
  // A bias before a batch norm has a gradient of nothing but rounding.
  double largest = 0;
  for (const auto& value : b.taught) largest = std::max(largest, value.abs().max().item<double>());
  for (size_t i = 0; i < a.taught.size(); ++i) {
    const double own = std::max(b.taught[i].abs().max().item<double>(), 0.01 * largest);
    EXPECT_LE((a.taught[i] - b.taught[i]).abs().max().item<double>(), 3e-3 * own) << "taught " << i;
  }
}

void expect_no_padding_is_seen(const std::function<std::shared_ptr<nn::DenoisingModel>()>& make,
                               int64_t hop) {
  const std::vector<int64_t> lengths = {9 * hop - 5, 4 * hop};
  const int64_t longest = lengths.front();
  const auto batch = [&](int64_t padding, double content) {
    auto x = torch::full({2, longest + padding}, content);
    for (int64_t b = 0; b < 2; ++b) {
      const int64_t own = lengths[static_cast<size_t>(b)];
      x[b].narrow(0, 0, own).copy_(normal({own}, 20 + static_cast<uint64_t>(b), 0.1));
    }
    return x;
  };
  for (const bool training : {true, false}) {
    SCOPED_TRACE(training ? "training" : "evaluation");
    const auto silent = learn(make, batch(0, 0), lengths, training);
    expect_same(learn(make, batch(0, 0.7), lengths, training), silent);
    expect_same(learn(make, batch(6 * hop + 3, -0.4), lengths, training), silent);
    // Items of one length, with padding behind all of them and without any.
    const auto equal = batch(0, 0).narrow(1, 0, lengths[1]);
    expect_same(learn(make, batch(0, 0.3), {lengths[1], lengths[1]}, training),
                learn(make, equal, {}, training));
  }
}

class PaddedPreset : public testing::TestWithParam<std::string> {};

TEST_P(PaddedPreset, ItemsDoNotKnowOfThePaddingBehindThem) {
  const auto config = read_preset(GetParam());
  const auto make = [&] { return nn::build_model(config, SeedKey(3)); };
  const auto hop = dynamic_cast<nn::DenoisingAutoencoder&>(*make()).options().stft.hop_samples;
  expect_no_padding_is_seen(make, hop);
}

INSTANTIATE_TEST_SUITE_P(All, PaddedPreset, testing::ValuesIn(preset_names()),
                         [](const auto& instance) { return instance.param; });

/// Causal, and looking ahead as far as the kernels reach.
class PaddedRandomModel : public testing::TestWithParam<std::tuple<uint64_t, bool>> {};

TEST_P(PaddedRandomModel, ItemsDoNotKnowOfThePaddingBehindThem) {
  const auto& [number, ahead] = GetParam();
  std::string yaml = random_causal_model(number);
  const auto options =
      std::dynamic_pointer_cast<nn::DenoisingAutoencoder>(make_model(yaml))->options();
  if (ahead) yaml += format("lookahead_frames: %d\n", options.lookahead_capacity());
  SCOPED_TRACE(yaml);
  expect_no_padding_is_seen([&] { return make_model(yaml); }, options.stft.hop_samples);
}

INSTANTIATE_TEST_SUITE_P(Twenty, PaddedRandomModel,
                         testing::Combine(testing::Range<uint64_t>(0, 20), testing::Bool()));

TEST(Padding, LessThanAFrameOfItIsNone) {
  // The kernels must not be told of padding that no frame is made of.
  const auto model = make_model("norm: batch"), same = make_model("norm: batch");
  auto x = normal({2, 320}, 40, 0.1);
  x[1].slice(0, 310).zero_();
  EXPECT_TRUE(same_bits(model->forward(x, {}).estimate, same->forward(x, {}, {320, 310}).estimate));
}

}  // namespace
}  // namespace limbeck::test
