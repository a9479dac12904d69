#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/random.h"
#include "limbeck/metric/metric.h"
#include "metric/si_sdr.h"

namespace limbeck {
namespace {

std::vector<float> noise(uint64_t seed, size_t size) {
  Random random{SeedKey(seed)};
  std::vector<float> x(size);
  for (float& value : x) value = static_cast<float>(0.1 * random.normal());
  return x;
}

TEST(SiSdr, IsTheRatioOfOrthogonalParts) {
  // Distortion orthogonal to the clean signal with a hundredth of its energy: 20 dB by definition.
  const std::vector<float> clean = {1, 1, 1, 1};
  const std::vector<float> estimate = {1.1F, 0.9F, 1.1F, 0.9F};
  EXPECT_NEAR(si_sdr(clean, estimate), 20, 1e-5);
}

TEST(SiSdr, DoesNotDependOnTheEstimatesScale) {
  const auto clean = noise(1, 4000);
  auto estimate = noise(2, 4000);
  for (size_t i = 0; i < clean.size(); ++i) estimate[i] += clean[i];
  const double before = si_sdr(clean, estimate);
  for (float& value : estimate) value *= 0.125F;
  EXPECT_NEAR(si_sdr(clean, estimate), before, 1e-9);
}

TEST(SiSdr, TakesTheMeansOutFirst) {
  // The example above on other constants; with them, the distortion is far larger.
  const std::vector<float> clean = {6, 6, 4, 4};
  const std::vector<float> estimate = {-1.9F, -2.1F, -3.9F, -4.1F};
  EXPECT_NEAR(metric::si_sdr(clean, estimate, true), 20, 1e-5);
  EXPECT_LT(metric::si_sdr(clean, estimate, false), 15);
  const std::vector<float> constant(4, 0.5F);
  EXPECT_THROW(metric::si_sdr(clean, constant, true), DataError);
  EXPECT_THROW(metric::si_sdr(constant, clean, true), DataError);
}

TEST(SiSdr, RefusesSilenceAndUnequalLengths) {
  const auto clean = noise(1, 100);
  const std::vector<float> silent(100, 0.0F);
  EXPECT_THROW(si_sdr(silent, clean), DataError);
  EXPECT_THROW(si_sdr(clean, silent), DataError);
  EXPECT_THROW(si_sdr(clean, noise(2, 99)), DataError);
}

}  // namespace
}  // namespace limbeck
