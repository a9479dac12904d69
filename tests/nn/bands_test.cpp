#include "nn/bands.h"

#include "limbeck/core/error.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

const nn::BandGrid kGrid{{.kept = 64, .merged = 64}, 256, 31.25};

TEST(Bands, LowerBinsStayAndUpperOnesAreSharedWhole) {
  nn::Bands bands(kGrid);
  const auto bins = normal({2, 3, 4, 256}, 1);
  const auto merged = bands->merge(bins);
  ASSERT_EQ(merged.sizes(), (std::vector<int64_t>{2, 3, 4, 128}));
  EXPECT_TRUE(at::equal(merged.narrow(3, 0, 64), bins.narrow(3, 0, 64)));
  // A mask that is the same everywhere stays so, and each band is a mean of bins.
  EXPECT_LT(relative_difference(bands->split(torch::full({1, 1, 1, 128}, 0.7)),
                                torch::full({1, 1, 1, 256}, 0.7)),
            1e-6);
  EXPECT_LT(relative_difference(bands->merge(torch::full({1, 1, 1, 256}, 0.7)),
                                torch::full({1, 1, 1, 128}, 0.7)),
            1e-6);
}

TEST(Bands, MergingIsTheTransposeOfSplittingUpToTheBandsWidth) {
  nn::Bands bands(kGrid);
  const auto split = bands->split(torch::eye(128));      // [band, bin]
  const auto merge = bands->merge(torch::eye(256)).t();  // [band, bin]
  const auto width = split.sum(1, true);
  EXPECT_LT(relative_difference(merge * width, split), 1e-6);
  EXPECT_GE(split.min().item<double>(), 0);
}

TEST(Bands, CentresAreEvenOnTheErbScale) {
  const auto centres = kGrid.centres();
  ASSERT_EQ(centres.size(), 64u);
  EXPECT_EQ(centres.front(), 64);
  EXPECT_EQ(centres.back(), 255);
  const auto erb = [](double bin) { return 21.4 * std::log10(1 + 0.00437 * bin * 31.25); };
  const double step = (erb(255) - erb(64)) / 63;
  for (size_t j = 1; j < 64; ++j) EXPECT_NEAR(erb(centres[j]) - erb(centres[j - 1]), step, 1e-9);
}

TEST(Bands, CellsAreCentredOnEveryBandThatAStrideLeaves) {
  const auto merged = kGrid.centres();
  const auto hz = [&](size_t band) {
    return (band < 64 ? static_cast<double>(band) : merged[band - 64]) * 31.25;
  };
  for (const size_t stride : {1u, 2u, 8u, 32u}) {
    SCOPED_TRACE(stride);
    const auto edges = kGrid.edges_hz(static_cast<int64_t>(stride));
    ASSERT_EQ(edges.size(), 128 / stride + 1);
    for (size_t f = 0; f + 1 < edges.size(); ++f) {
      EXPECT_LT(edges[f], hz(f * stride)) << f;
      EXPECT_GT(edges[f + 1], hz(f * stride)) << f;
      if (f * stride + stride / 2 < 64) {
        EXPECT_NEAR(0.5 * (edges[f] + edges[f + 1]), hz(f * stride), 1e-9) << f;
      }
      if (stride > 1) {
        EXPECT_NEAR(edges[f + 1], hz(f * stride + stride / 2), 1e-9) << f;
      } else if (f + 1 < 128) {
        EXPECT_NEAR(edges[f + 1], 0.5 * (hz(f) + hz(f + 1)), 1e-9) << f;
      }
    }
  }
}

TEST(Bands, NoneLeaveTheBinsAlone) {
  nn::Bands bands(nn::BandGrid{{}, 32, 250});
  const auto bins = normal({1, 1, 2, 32}, 2);
  EXPECT_TRUE(bands->merge(bins).is_same(bins));
  EXPECT_TRUE(bands->split(bins).is_same(bins));
}

TEST(Bands, WhatCannotBeMergedIsAConfigError) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"bands: {kept: 30, merged: 8}", "30 kept and 8 merged bands are more than the 32 bins"},
      {"bands: {kept: 8, merged: 24}", "narrower than a bin"},
      {"bands: {kept: 8, merged: 1}", "merged of at least 2"},
      {"bands: {kept: 0, merged: 8}", "kept of at least 1"},
      {"bands: {kept: 8}", "or both 0"}};
  for (const auto& [changes, message] : bad) {
    EXPECT_THAT(message_of<ConfigError>([&text = changes] { model_config(text); }),
                testing::HasSubstr(message))
        << changes;
  }
  // Of one band there is no width to complain of.
  EXPECT_THAT(message_of<ConfigError>([] { model_config("bands: {kept: 8, merged: 1}"); }),
              testing::Not(testing::HasSubstr("narrower")));
}

}  // namespace
}  // namespace limbeck::test
