#include "limbeck/objective/loss.h"

#include "limbeck/core/error.h"
#include "limbeck/objective/objective.h"
#include "nn/support.h"
#include "objective/finite_difference.h"
#include "objective/losses/compressed_spectrum.h"
#include "objective/losses/si_sdr_loss.h"

namespace limbeck::test {
namespace {

using objective::LossInput;

std::unique_ptr<objective::Loss> make_loss(const std::string& name) {
  if (name == "si_sdr") return objective::losses().build("si_sdr", objective::SiSdrLossOptions());
  objective::CompressedSpectrumOptions options;
  options.spectra.stft = {32, 16, 32, "sqrt_hann"};
  return objective::losses().build("compressed_spectrum", options);
}

at::Tensor prefix_mask(const std::vector<int64_t>& valid, int64_t size) {
  auto mask = torch::zeros({static_cast<int64_t>(valid.size()), size});
  for (size_t b = 0; b < valid.size(); ++b)
    mask[static_cast<int64_t>(b)].narrow(0, 0, valid[b]).fill_(1);
  return mask;
}

class Losses : public testing::TestWithParam<const char*> {};

TEST_P(Losses, GradientIsThatOfFiniteDifferences) {
  const auto loss = make_loss(GetParam());
  loss->to(torch::kDouble);
  const auto clean = normal({2, 60}, 1, 0.1).to(torch::kDouble);
  const auto estimate = 0.8 * clean + normal({2, 60}, 2, 0.05).to(torch::kDouble);
  expect_gradient([&](const at::Tensor& x) { return loss->forward({x, clean, {}}); }, estimate,
                  1e-6);
  const auto mask = prefix_mask({60, 37}, 60).to(torch::kDouble);
  expect_gradient([&](const at::Tensor& x) { return loss->forward({x, clean, mask}); }, estimate,
                  1e-6);
}

TEST_P(Losses, GarbageInPaddingChangesNothing) {
  const auto loss = make_loss(GetParam());
  const auto mask = prefix_mask({200, 77}, 200);
  const auto clean = normal({2, 200}, 3, 0.1) * mask;
  const auto estimate = clean + normal({2, 200}, 4, 0.05) * mask;
  const auto run = [&](const at::Tensor& garbage) {
    auto x = (estimate + garbage * (1 - mask)).detach().requires_grad_();
    const auto value = loss->forward({x, clean + 3 * garbage * (1 - mask), mask});
    value.backward();
    return std::pair(value.detach(), x.grad());
  };
  const auto quiet = run(torch::zeros({2, 200}));
  const auto loud = run(normal({2, 200}, 5, 100));
  EXPECT_TRUE(same_bits(quiet.first, loud.first));
  EXPECT_TRUE(same_bits(quiet.second, loud.second));
  EXPECT_EQ((quiet.second * (1 - mask)).abs().max().item<float>(), 0);
  EXPECT_GT(quiet.second.abs().max().item<float>(), 0);
}

TEST_P(Losses, APaddedBatchIsTheMeanOfItsItemsAlone) {
  const auto loss = make_loss(GetParam());
  const auto clean = normal({3, 200}, 6, 0.1);
  const auto estimate = clean + normal({3, 200}, 7, 0.05);
  const std::vector<int64_t> valid = {200, 64, 77};
  double mean = 0;
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t size = valid[static_cast<size_t>(b)];
    const auto cut = [&](const at::Tensor& x) { return x.narrow(0, b, 1).narrow(1, 0, size); };
    mean += loss->forward({cut(estimate), cut(clean), {}}).item<double>() / 3;
  }
  EXPECT_NEAR(loss->forward({estimate, clean, prefix_mask(valid, 200)}).item<double>() / mean, 1,
              1e-5);
}

TEST_P(Losses, SilenceGivesFiniteGradients) {
  const auto loss = make_loss(GetParam());
  const auto sound = normal({1, 100}, 8, 0.1);
  const auto silence = torch::zeros({1, 100});
  for (const auto& [first, second] :
       {std::pair(silence, sound), {sound, silence}, {silence, silence}}) {
    auto x = first.clone().requires_grad_();
    const auto value = loss->forward({x, second, {}});
    value.backward();
    EXPECT_TRUE(std::isfinite(value.item<double>()));
    EXPECT_TRUE(at::isfinite(x.grad()).all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(All, Losses, testing::Values("compressed_spectrum", "si_sdr"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(SiSdrLoss, KnownValuesAndScaleInvariance) {
  const auto loss = make_loss("si_sdr");
  const auto clean = normal({1, 1000}, 9);
  auto noise = normal({1, 1000}, 10);
  noise = noise - (noise * clean).sum() / clean.square().sum() * clean;
  noise = noise * (clean.norm() / noise.norm());
  for (const double snr_db : {-5.0, 0.0, 10.0, 30.0}) {
    const auto estimate = clean + noise * std::pow(10, -snr_db / 20);
    EXPECT_NEAR(loss->forward({estimate, clean, {}}).item<double>(), -snr_db, 1e-3);
    EXPECT_NEAR(loss->forward({-7 * estimate, 0.2 * clean, {}}).item<double>(), -snr_db, 1e-3);
  }
}

TEST(SiSdrLoss, SilentItemsTakeNoPart) {
  const auto loss = make_loss("si_sdr");
  const auto clean = normal({2, 300}, 11);
  const auto estimate = clean + normal({2, 300}, 12, 0.3);
  const double alone =
      loss->forward({estimate.narrow(0, 0, 1), clean.narrow(0, 0, 1), {}}).item<double>();
  auto silent = clean.clone();
  silent[1].zero_();
  EXPECT_NEAR(loss->forward({estimate, silent, {}}).item<double>(), alone, 1e-5);
}

TEST(CompressedSpectrum, KnownRatios) {
  objective::CompressedSpectrumOptions options;
  options.spectra.power = 0.5;
  options.spectra.complex_weight = 0.25;
  const auto loss = objective::losses().build("compressed_spectrum", options);
  const auto clean = normal({2, 4000}, 13);
  const auto value = [&](double gain) {
    return loss->forward({gain * clean, clean, {}}).item<double>();
  };
  EXPECT_EQ(value(1), 0);
  // A gain a leaves the phases: both parts are (1 − a^p)² of the compressed energy. A flipped sign
  // leaves the magnitudes and doubles the complex difference.
  EXPECT_NEAR(value(4) / value(0.25), 4, 1e-3);  // (1 − 2)² / (1 − 1/2)²
  EXPECT_NEAR(value(-1) / value(4), 4 * 0.25, 1e-3);
}

TEST(Objective, SumsWeightedPartsByName) {
  const auto config = config::read_text<objective::ObjectiveConfig>(
      "losses: [{name: si_sdr, weight: 0.5}, {name: compressed_spectrum, weight: 3}]", "test");
  objective::Objective both(config);
  const auto clean = normal({2, 600}, 14, 0.1);
  const auto estimate = clean + normal({2, 600}, 15, 0.1);
  objective::LossReport report;
  both.add_to(report, {estimate, clean, {}});
  ASSERT_EQ(report.parts.size(), 2u);
  EXPECT_EQ(report.parts[0].name, "si_sdr");
  EXPECT_EQ(report.parts[1].name, "compressed_spectrum");
  EXPECT_NEAR(report.total.item<double>(),
              0.5 * report.parts[0].value.item<double>() + 3 * report.parts[1].value.item<double>(),
              1e-5);
}

TEST(Objective, RefusesNoLossAndTwice) {
  const auto message = [](const std::string& yaml) {
    return message_of<ConfigError>(
        [&] { config::read_text<objective::ObjectiveConfig>(yaml, "test"); });
  };
  EXPECT_THAT(message("losses: []"), testing::HasSubstr("at least one loss"));
  EXPECT_THAT(message("losses: [{name: si_sdr, weight: 0}]"),
              testing::HasSubstr("at least one loss"));
  EXPECT_THAT(message("losses: [{name: si_sdr}, {name: si_sdr}]"),
              testing::HasSubstr("listed twice"));
}

}  // namespace
}  // namespace limbeck::test
