#include "limbeck/core/error.h"
#include "limbeck/objective/objective.h"
#include "nn/support.h"
#include "objective/from_yaml.h"

namespace limbeck::test {
namespace {

TEST(SiSdrLoss, KnownValuesAndScaleInvariance) {
  const auto loss = loss_from_yaml("{name: si_sdr}");
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
  const auto loss = loss_from_yaml("{name: si_sdr}");
  const auto clean = normal({2, 300}, 11);
  const auto estimate = clean + normal({2, 300}, 12, 0.3);
  const double alone =
      loss->forward({estimate.narrow(0, 0, 1), clean.narrow(0, 0, 1), {}}).item<double>();
  auto silent = clean.clone();
  silent[1].zero_();
  EXPECT_NEAR(loss->forward({estimate, silent, {}}).item<double>(), alone, 1e-5);
}

TEST(CompressedSpectrum, KnownRatios) {
  const auto loss = loss_from_yaml("{name: compressed_spectrum, power: 0.5, complex_weight: 0.25}");
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
