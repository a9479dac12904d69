#include "limbeck/study/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "paths.h"
#include "study/statistics_parts.h"

namespace limbeck {
namespace {

using Grid = std::vector<std::vector<double>>;

/// See tests/golden/statistics.py.
nlohmann::json golden(const std::string& name) {
  std::ifstream file(test::source_dir() / "tests/golden/data/statistics.json");
  return nlohmann::json::parse(file).at(name);
}

double number(const nlohmann::json& value) { return value.is_null() ? NAN : value.get<double>(); }

std::vector<double> numbers(const nlohmann::json& values) {
  std::vector<double> result;
  for (const auto& value : values) result.push_back(number(value));
  return result;
}

Grid grid(const nlohmann::json& rows) {
  Grid result;
  for (const auto& row : rows) result.push_back(numbers(row));
  return result;
}

void expect_equal(double value, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value));
  } else {
    EXPECT_NEAR(value, expected, 1e-9 * std::max(1.0, std::abs(expected)));
  }
}

/// Within 4 standard errors of such percentiles of kResamples draws and of the reference's 50,000,
/// 0.15 of a resample's standard deviation; or within one step, where values are steps.
void expect_close(const Interval& interval, const Interval& expected, double step = 0) {
  const double bound = std::max(0.15 * (expected.high - expected.low) / 3.92, step) + 1e-12;
  EXPECT_NEAR(interval.low, expected.low, bound);
  EXPECT_NEAR(interval.high, expected.high, bound);
}

void expect_close(const Interval& interval, const nlohmann::json& expected, double step = 0) {
  expect_close(interval, Interval{expected[0], expected[1]}, step);
}

void expect_same(const Interval& a, const Interval& b) {
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
}

TEST(AnalyzePairs, IsThatOfSciPy) {
  for (const auto& expected : golden("paired")) {
    const auto a = numbers(expected["a"]), b = numbers(expected["b"]);
    SCOPED_TRACE(a.size());
    const PairedAnalysis result = analyze_pairs(a, b, true, SeedKey(1));
    expect_equal(result.difference.mean, expected["mean"]);
    expect_equal(result.difference.interval, expected["interval"]);
    expect_equal(result.deviation, expected["deviation"]);
    expect_equal(result.t, expected["t"]);
    expect_equal(result.p, expected["p"]);
    expect_equal(result.hedges_g, number(expected["hedges_g"]));
    expect_equal(result.detectable, expected["detectable"]);
    expect_equal(result.improvement.probability, expected["improvement"]);
    const auto n = static_cast<double>(result.difference.n);
    expect_close(result.improvement.interval, expected["improvement_interval"], 1 / (n * n));
    EXPECT_EQ(result.permutation_exact, n <= 20);
    EXPECT_EQ(result.permutation_smallest_p, std::pow(2, 1 - n));
    const double p = expected["permutation_p"];
    if (result.permutation_exact) {
      expect_equal(result.permutation_p, p);
    } else {  // 4 standard errors of a share of kResamples draws
      EXPECT_NEAR(result.permutation_p, p, 4 * std::sqrt(p * (1 - p) / kResamples));
      EXPECT_NE(result.permutation_p, p);
    }
  }
}

TEST(AnalyzePairs, KnowsNeitherTheOrderOfSeedsNorTheLevel) {
  const std::vector<double> a = {2.5, 2.75, NAN, 2.25, 3, 2.875};
  const std::vector<double> b = {2.625, 3, 2.75, 2.125, 3.5, 3.25};
  const auto result = analyze_pairs(a, b, true, SeedKey(1));
  EXPECT_EQ(result.difference.n, 5U);
  const auto turned =
      analyze_pairs({a.rbegin(), a.rend()}, {b.rbegin(), b.rend()}, true, SeedKey(1));
  auto lifted_a = a, lifted_b = b;
  for (double& value : lifted_a) value += 8;
  for (double& value : lifted_b) value += 8;
  for (const auto& same : {turned, analyze_pairs(lifted_a, lifted_b, true, SeedKey(1))}) {
    expect_equal(same.t, result.t);
    expect_equal(same.p, result.p);
    EXPECT_EQ(same.permutation_p, result.permutation_p);
    expect_equal(same.hedges_g, result.hedges_g);
    EXPECT_EQ(same.improvement.probability, result.improvement.probability);
    expect_same(same.improvement.interval, result.improvement.interval);
  }
}

TEST(AnalyzePairs, TurnsItsSignWithTheArmsAndTheMetric) {
  const std::vector<double> a = {2.5, 2.75, 2.25, 3, 2.875}, b = {2.625, 3, 2.125, 3.5, 3.25};
  const auto result = analyze_pairs(a, b, true, SeedKey(1));
  const auto swapped = analyze_pairs(b, a, true, SeedKey(1));
  EXPECT_EQ(swapped.t, -result.t);
  EXPECT_EQ(swapped.p, result.p);
  EXPECT_EQ(swapped.permutation_p, result.permutation_p);
  EXPECT_EQ(swapped.hedges_g, -result.hedges_g);
  EXPECT_DOUBLE_EQ(swapped.improvement.probability, 1 - result.improvement.probability);
  expect_close(swapped.improvement.interval,
               Interval{1 - result.improvement.interval.high, 1 - result.improvement.interval.low},
               1.0 / 25);
  const auto lower = analyze_pairs(a, b, false, SeedKey(1));
  EXPECT_EQ(lower.difference.mean, result.difference.mean);
  EXPECT_EQ(lower.t, result.t);
  EXPECT_EQ(lower.difference.wins, result.difference.losses);
  EXPECT_DOUBLE_EQ(lower.improvement.probability, 1 - result.improvement.probability);
}

TEST(AnalyzePairs, IsDefinedWithoutSpread) {
  const auto same = analyze_pairs({2, 3, 4}, {2, 3, 4}, true, SeedKey(1));
  EXPECT_EQ(same.t, 0);
  EXPECT_EQ(same.p, 1);
  EXPECT_EQ(same.permutation_p, 1);
  EXPECT_EQ(same.hedges_g, 0);
  EXPECT_EQ(same.improvement.probability, 0.5);
  EXPECT_EQ(same.detectable, 0);
  EXPECT_EQ(analyze_pairs({2, 2, 2}, {2, 2, 2}, true, SeedKey(1)).hedges_g, 0);
  const auto shifted = analyze_pairs({2, 3, 4}, {1, 2, 3}, true, SeedKey(1));
  EXPECT_EQ(shifted.t, -INFINITY);
  EXPECT_EQ(shifted.p, 0);
  EXPECT_EQ(shifted.permutation_p, 0.25);
  EXPECT_EQ(analyze_pairs({2, 2, 2}, {3, 3, 3}, true, SeedKey(1)).hedges_g, INFINITY);
}

TEST(AnalyzePairs, SaysNothingOfFewerThanTwoPairs) {
  const auto one = analyze_pairs({2, NAN}, {3, 1}, true, SeedKey(1));
  EXPECT_EQ(one.difference.n, 1U);
  EXPECT_EQ(one.difference.mean, 1);
  EXPECT_EQ(one.permutation_p, 1);
  EXPECT_EQ(one.permutation_smallest_p, 1);
  EXPECT_EQ(one.improvement.probability, 1);
  EXPECT_TRUE(std::isnan(one.improvement.interval.low));
  const auto none = analyze_pairs({NAN}, {1}, true, SeedKey(1));
  EXPECT_TRUE(std::isnan(none.permutation_p));
  EXPECT_TRUE(std::isnan(none.permutation_smallest_p));
  EXPECT_TRUE(std::isnan(none.improvement.probability));
  for (const auto& result : {one, none}) {
    EXPECT_TRUE(std::isnan(result.deviation));
    EXPECT_TRUE(std::isnan(result.t));
    EXPECT_TRUE(std::isnan(result.p));
    EXPECT_TRUE(std::isnan(result.hedges_g));
    EXPECT_TRUE(std::isnan(result.detectable));
  }
  EXPECT_THROW(analyze_pairs({1}, {}, true, SeedKey(1)), std::invalid_argument);
}

TEST(PermutationTest, CountsWhatIsEquallyFarInSpiteOfRounding) {
  // 0.1 + 0.2 − 0.3 is not 0 in double precision, nor are the sums of these signs that are 0.
  std::vector<double> zero(6), some = {0.1, 0.2, -0.3, 0.1, 0.2, -0.3};
  EXPECT_EQ(analyze_pairs(zero, some, true, SeedKey(1)).permutation_p, 1);
  // All of one sign, or one of the other: 1 + 6 ways on either side.
  some = {0.1, 0.1, 0.1, 0.1, 0.1, -0.1};
  EXPECT_EQ(analyze_pairs(zero, some, true, SeedKey(1)).permutation_p, 14.0 / 64);
}

TEST(PermutationTest, IsNeverSureFromDrawsAlone) {
  std::vector<double> zero(40), some(40, 1);
  const auto result = analyze_pairs(zero, some, true, SeedKey(1));
  EXPECT_FALSE(result.permutation_exact);
  EXPECT_EQ(result.permutation_p, 1.0 / (kResamples + 1));
  EXPECT_EQ(result.permutation_smallest_p, std::exp2(-39));
}

TEST(PermutationTest, NamesThePairsThatItNeeds) {
  EXPECT_EQ(pairs_needed(0.05), 6U);
  EXPECT_EQ(pairs_needed(0.0625), 5U);
  EXPECT_EQ(pairs_needed(0.01), 8U);
  EXPECT_EQ(pairs_needed(1), 1U);
}

TEST(ProbabilityOfImprovement, IsTheMeanOverTasks) {
  const auto expected = golden("tasks")[0];
  auto a = grid(expected["a"]), b = grid(expected["b"]);
  const auto result = probability_of_improvement(a, b, true, SeedKey(1));
  expect_equal(result.probability, expected["probability"]);
  expect_close(result.interval, expected["interval"], 1.0 / (3 * 36));
  a.push_back({NAN, 2});
  b.push_back({NAN});
  expect_same(probability_of_improvement(a, b, true, SeedKey(1)).interval, result.interval);
  EXPECT_THROW(probability_of_improvement(a, {}, true, SeedKey(1)), std::invalid_argument);
}

TEST(Holm, IsThatOfStatsmodels) {
  const auto expected = golden("holm")[0];
  auto p = numbers(expected["p"]), corrected = numbers(expected["corrected"]);
  const auto result = holm(p);
  ASSERT_EQ(result.size(), p.size());
  for (size_t i = 0; i < p.size(); ++i) expect_equal(result[i], corrected[i]);
  p.insert(p.begin() + 2, NAN);
  const auto with_gap = holm(p);
  EXPECT_TRUE(std::isnan(with_gap[2]));
  EXPECT_EQ(with_gap[3], result[2]);
  EXPECT_TRUE(holm({}).empty());
}

TEST(DetectableDifference, HasThePowerThatAnIntegralGives) {
  const auto expected = golden("detectable")[0];
  for (size_t i = 0; i < expected["n"].size(); ++i) {
    const double effect = expected["effect"][i];
    expect_equal(detectable_difference(1, expected["n"][i]), effect);
    expect_equal(detectable_difference(0.25, expected["n"][i]), effect / 4);
  }
  EXPECT_EQ(detectable_difference(0, 5), 0);
  EXPECT_TRUE(std::isnan(detectable_difference(1, 1)));
  EXPECT_TRUE(std::isnan(detectable_difference(NAN, 5)));
}

TEST(InterquartileMean, IsThatOfSciPy) {
  for (const auto& expected : golden("middle")) {
    auto values = numbers(expected["values"]);
    const auto result = interquartile_mean(values, SeedKey(1));
    expect_equal(result.mean, expected["mean"]);
    expect_close(result.interval, expected["interval"]);
    std::reverse(values.begin(), values.end());
    values.push_back(NAN);
    const auto turned = interquartile_mean(values, SeedKey(1));
    EXPECT_EQ(turned.n, values.size() - 1);
    EXPECT_EQ(turned.mean, result.mean);
    expect_same(turned.interval, result.interval);
  }
  const auto few = interquartile_mean({1, 2, 3, NAN, 4}, SeedKey(1));
  EXPECT_EQ(few.n, 4U);
  EXPECT_TRUE(std::isnan(few.mean));
  EXPECT_TRUE(std::isnan(few.interval.low));
}

TEST(HierarchicalBootstrap, IsThatOfNumPy) {
  for (const auto& expected : golden("hierarchical")) {
    const auto values = grid(expected["values"]);
    const std::vector<std::string> speakers = expected["speakers"];
    const auto result = hierarchical_bootstrap(values, speakers, SeedKey(1));
    EXPECT_EQ(result.seeds, values.size());
    EXPECT_EQ(result.utterances, speakers.size());
    expect_equal(result.mean, expected["mean"]);
    expect_close(result.interval, expected["interval"]);
    EXPECT_EQ(result.few_speakers(), result.speakers < 10);
  }
}

TEST(HierarchicalBootstrap, TakesTheSameUtterancesOfAllSeeds) {
  // Utterances differ, seeds do not: drawn for each seed anew they would average out over seeds.
  const std::vector<double> utterances = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<std::string> one_speaker(8, "p1");
  const auto once = hierarchical_bootstrap({utterances}, one_speaker, SeedKey(1));
  const auto often = hierarchical_bootstrap(Grid(10, utterances), one_speaker, SeedKey(2));
  expect_close(often.interval, once.interval);
  EXPECT_EQ(once.speakers, 1U);
  // The standard error of a mean of 8 draws.
  const double error = std::sqrt(63.0 / 12 / 8);
  expect_close(once.interval, Interval{3.5 - 1.96 * error, 3.5 + 1.96 * error}, 1.0 / 8);
}

TEST(HierarchicalBootstrap, LeavesOutWhatIsMissing) {
  const Grid values = {{1, 5, 2, 8, 7}, {3, 2, 9, 4, 1}, {2, 2, 4, 3, 5}};
  const std::vector<std::string> speakers = {"p1", "p1", "p2", "p2", "p3"};
  Grid gaps = values;
  gaps[1][4] = NAN;  // p3 is gone with it
  gaps.insert(gaps.begin(), std::vector<double>(5, NAN));
  Grid rest = values;
  for (auto& seed : rest) seed.pop_back();
  const auto expected =
      hierarchical_bootstrap(rest, {speakers.begin(), speakers.end() - 1}, SeedKey(1));
  const auto result = hierarchical_bootstrap(gaps, speakers, SeedKey(1));
  EXPECT_EQ(result.seeds, 3U);
  EXPECT_EQ(result.speakers, 2U);
  EXPECT_EQ(result.utterances, 4U);
  EXPECT_EQ(result.mean, expected.mean);
  expect_same(result.interval, expected.interval);
  for (const auto& nothing : {hierarchical_bootstrap({}, {}, SeedKey(1)),
                              hierarchical_bootstrap({{NAN, NAN}}, {"a", "b"}, SeedKey(1))}) {
    EXPECT_EQ(nothing.utterances, 0U);
    EXPECT_TRUE(std::isnan(nothing.mean));
    EXPECT_TRUE(std::isnan(nothing.interval.low));
  }
  EXPECT_TRUE(std::isnan(hierarchical_bootstrap({{1}, {2}}, {"a"}, SeedKey(1)).interval.low));
  EXPECT_THROW(hierarchical_bootstrap(values, {"p1"}, SeedKey(1)), std::invalid_argument);
  EXPECT_THROW(hierarchical_bootstrap({{1, 2}, {1}}, {"a", "b"}, SeedKey(1)),
               std::invalid_argument);
}

TEST(HierarchicalBootstrap, DrawsTheSameOnEveryMachine) {
  const Grid values = {{1, 5, 2, 8}, {3, 2, 9, 4}, {7, 1, 1, 2}};
  const std::vector<std::string> speakers = {"p1", "p1", "p1", "p2"};
  const auto result = hierarchical_bootstrap(values, speakers, SeedKey(7));
  EXPECT_NEAR(result.interval.low, 25.0 / 12, 1e-9);
  EXPECT_NEAR(result.interval.high, 20.0 / 3, 1e-9);
  EXPECT_NE(hierarchical_bootstrap(values, speakers, SeedKey(8)).interval.low, result.interval.low);
}

TEST(VarianceComponents, AreThoseOfStatsmodelsMeanSquares) {
  size_t clipped = 0;
  for (const auto& expected : golden("components")) {
    auto values = grid(expected["values"]);
    const auto result = variance_components(values);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->teachers, values.size());
    EXPECT_EQ(result->students, values[0].size());
    const double teacher = expected["teacher"], student = expected["student"];
    expect_equal(result->teacher, std::max(0.0, teacher));
    expect_equal(result->student, std::max(0.0, student));
    expect_equal(result->residual, expected["residual"]);
    expect_equal(result->of_students(), result->student + result->residual);
    EXPECT_EQ(result->clipped, teacher < 0 || student < 0);
    clipped += result->clipped;
    Grid turned(values[0].size(), std::vector<double>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      for (size_t j = 0; j < turned.size(); ++j) turned[j][i] = values[i][j];
    }
    expect_equal(variance_components(turned)->student, result->teacher);
    expect_equal(variance_components(turned)->teacher, result->student);
    EXPECT_EQ(variance_components(turned)->clipped, result->clipped);
    // A student seed with a gap, and a teacher without students, change nothing.
    for (auto& row : values) row.insert(row.begin(), 1);
    values.back().front() = NAN;
    values.emplace_back(values[0].size(), NAN);
    EXPECT_EQ(variance_components(values)->teacher, result->teacher);
    EXPECT_EQ(variance_components(values)->students, result->students);
  }
  EXPECT_GT(clipped, 0U);
  EXPECT_LT(clipped, golden("components").size());
}

TEST(VarianceComponents, NeedTwoOfEach) {
  EXPECT_FALSE(variance_components({}));
  EXPECT_FALSE(variance_components({{1, 2, 3}}));
  EXPECT_FALSE(variance_components({{1}, {2}}));
  EXPECT_FALSE(variance_components({{1, 2, 3}, {NAN, NAN, NAN}}));
  EXPECT_THROW(variance_components({{1, 2}, {1}}), std::invalid_argument);
}

TEST(PercentileInterval, IsLinearBetweenValues) {
  const Interval interval = percentile_interval({30, 0, 20, 10});
  EXPECT_DOUBLE_EQ(interval.low, 0.75);
  EXPECT_DOUBLE_EQ(interval.high, 29.25);
}

TEST(KnownValues, AreThoseThatAreNotMissing) {
  EXPECT_EQ(known_values({NAN, 2, NAN, 1}), (std::vector<double>{2, 1}));
}

}  // namespace
}  // namespace limbeck
