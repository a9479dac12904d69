#include "limbeck/core/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace limbeck {
namespace {

TEST(Statistics, AreThoseOfTheTextbook) {
  const Summary s = summarize({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(s.mean, 5);
  EXPECT_NEAR(s.deviation, std::sqrt(32.0 / 7), 1e-12);
  // t with 7 degrees of freedom at 97.5 %: 2.364624 (any table).
  EXPECT_NEAR(interval95(s), 2.364624 * s.deviation / std::sqrt(8.0), 1e-5);
  EXPECT_TRUE(std::isnan(summarize({1}).deviation));
  EXPECT_TRUE(std::isnan(interval95(summarize({1}))));
  EXPECT_TRUE(std::isnan(summarize({}).mean));
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
}

TEST(Statistics, OneValueHasNoDeviation) {
  EXPECT_EQ(summary_text(summarize({7, 8}), 2), "7.50 ± 0.71");
  EXPECT_EQ(summary_text(summarize({7.25}), 1), "7.2");
  EXPECT_EQ(summary_text(summarize({}), 2), "");
  EXPECT_EQ(number_text(NAN, 2), "");
}

TEST(PairedDifference, TakesPairsThatAreWholeAndCountsWhoIsBetter) {
  const std::vector<double> a = {5, 6, 7, 8, NAN, 9, 4, 1};
  const std::vector<double> b = {6, 6, 6.5, 9.5, 3, 12, 4.5, NAN};
  const PairedDifference d = paired_difference(a, b, true);
  EXPECT_EQ(d.n, 6U);
  EXPECT_DOUBLE_EQ(d.mean_a, 39.0 / 6);
  EXPECT_DOUBLE_EQ(d.mean_b, 44.5 / 6);
  EXPECT_NEAR(d.mean, 5.5 / 6, 1e-12);
  // {1, 0, -.5, 1.5, 3, .5}: 2.5705818 (t table, 5 degrees of freedom) times stdev / sqrt(6)
  EXPECT_NEAR(d.interval, 1.3030199, 1e-6);
  EXPECT_EQ(d.wins, 4U);
  EXPECT_EQ(d.losses, 1U);
  EXPECT_EQ(difference_text(d, 2), "+0.92");
  EXPECT_EQ(interval_text(d, 2), "[-0.39, +2.22]");
  EXPECT_EQ(paired_difference(a, b, false).wins, 1U);
}

TEST(PairedDifference, HasNoIntervalForOnePair) {
  const PairedDifference d = paired_difference({1}, {0.5}, true);
  EXPECT_EQ(difference_text(d, 1), "-0.5");
  EXPECT_EQ(interval_text(d, 1), "");
  EXPECT_EQ(difference_text(paired_difference({}, {}, true), 1), "");
  EXPECT_THROW(paired_difference({1}, {}, true), std::invalid_argument);
}

}  // namespace
}  // namespace limbeck
