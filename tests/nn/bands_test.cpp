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

TEST(Bands, EdgesCoverTheWholeRangeAndSurroundTheCentres) {
  const auto edges = kGrid.edges_hz();
  ASSERT_EQ(edges.size(), 129u);
  EXPECT_EQ(edges.front(), 0);
  EXPECT_EQ(edges.back(), 8000);
  const auto centres = kGrid.centres();
  for (size_t i = 1; i < edges.size(); ++i) EXPECT_LT(edges[i - 1], edges[i]) << i;
  for (size_t j = 0; j < centres.size(); ++j) {
    const double hz = (centres[j] + 0.5) * 31.25;  // bin b covers [b, b + 1) of the edges
    EXPECT_LE(edges[64 + j], hz) << j;
    EXPECT_GE(edges[65 + j], hz) << j;
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
}

}  // namespace
}  // namespace limbeck::test
