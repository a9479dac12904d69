#include "study/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/scratch.h"
#include "study/made_study.h"

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two scenarios, two methods, two seeds; cosine is 1 and 2 better in the first, missing in the
/// second.
MadeStudy made() {
  MadeStudy study({"a", "b"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  study.add_teacher(1, {15});
  for (int64_t seed = 1; seed <= 2; ++seed) {
    study.add({0, 0, 0}, seed, {7});
    study.add({1, 0, 0}, seed, {6});
    study.add({0, 1, 0}, seed, {7 + static_cast<double>(seed)});
  }
  study.results.missing = {{"b, cosine, seed 1", StudyArm{1, 1, 0}, "", "failed"}};
  return study;
}

std::vector<std::string> labels(const RowPlot& plot) {
  std::vector<std::string> texts;
  for (const PlotRow& row : plot.rows) texts.push_back(row.label);
  return texts;
}

TEST(Figures, ShowEveryRunAndWhatIsMissing) {
  const MadeStudy study = made();
  const ReportData data = report_data(study.config, study.results);
  const RowPlot plot = seeds_plot(data, data.sets[0]);
  EXPECT_THAT(labels(plot), ElementsAre("a", "none", "cosine", "b", "none", "cosine"));
  EXPECT_EQ(plot.rows[2].values.size(), 2U);
  EXPECT_NEAR(plot.rows[2].mean, 8.5, 1e-12);
  EXPECT_NEAR(plot.rows[2].high, 8.5 + 12.7062047 * 0.5, 1e-6);
  EXPECT_EQ(plot.rows[5].text, "missing");
}

TEST(Figures, ShowDifferencesAboutALine) {
  const MadeStudy study = made();
  const ReportData data = report_data(study.config, study.results);
  const RowPlot plot = differences_plot(data, data.sets[0]);
  EXPECT_THAT(labels(plot), ElementsAre("a", "cosine − none"));
  EXPECT_EQ(plot.line, 0);
  EXPECT_NEAR(plot.rows[1].values[1], 2, 1e-12);
  EXPECT_EQ(plot.rows[1].text, "+1.50 [-4.85, +7.85]");
}

TEST(Figures, ShowQualityAgainstCostWithMethodsOfOneCostSideBySide) {
  const MadeStudy study = made();
  const ReportData data = report_data(study.config, study.results);
  const Plot plot = quality_plot(data, data.sets[0], Cost::parameters);
  EXPECT_THAT(plot.keys, ElementsAre("none", "cosine", "teacher t"));
  const auto& curves = plot.panels[0].curves;
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_LT(curves[0].x[0], 12345);
  EXPECT_GT(curves[1].x[0], 12345);
  EXPECT_NEAR(curves[0].x[1], 2 * 12345, 1e-6);  // alone there
  EXPECT_NEAR(curves[2].x[0], 2400000, 1e-3);
  ASSERT_EQ(plot.places.size(), 2U);
  EXPECT_NEAR(plot.places[0].first, 12345, 1);
  EXPECT_THAT(plot.note, HasSubstr("\nA: a\nB: b"));
}

TEST(Figures, SetPointsOfNearCostsApart) {
  MadeStudy study({"a", "b", "c"}, {"none", "cosine"});
  for (size_t s = 0; s < 3; ++s) {
    for (size_t m = 0; m < 2; ++m) {
      study.add({s, m, 0}, 1, {7}).parameters = 30000 + 100 * static_cast<int64_t>(s);
    }
  }
  const ReportData data = report_data(study.config, study.results);
  const auto curves = quality_plot(data, data.sets[0], Cost::parameters).panels[0].curves;
  std::vector<double> x = curves[0].x;
  x.insert(x.end(), curves[1].x.begin(), curves[1].x.end());
  std::sort(x.begin(), x.end());
  ASSERT_EQ(x.size(), 6U);
  for (size_t i = 1; i < 6; ++i) EXPECT_NEAR(x[i] / x[i - 1], x[1] / x[0], 1e-9);
  EXPECT_GT(x[1] / x[0], 1.02);
  EXPECT_LT(curves[0].x[1], curves[1].x[1]);  // b stays together
}

TEST(Figures, ShowMeansOfTrainingsOverTheStepsOfAllSeeds) {
  const Scratch dir;
  const MadeStudy study = made();
  const ReportData data = report_data(study.config, study.results);
  EXPECT_TRUE(training_plot(dir.path(), study.config, study.results, data).panels.empty());
  const auto line = [](int step, double value) {
    return format("{\"step\": %d, \"split\": \"valid\", \"loss\": 1, \"si_sdr\": %g}\n", step,
                  value);
  };
  const auto put = [&](int64_t seed, const std::string& lines) {
    const std::string id = format("runs/0/1/0/teacher-1/seed-%d", seed);
    dir.put(id + "/config.yaml", "");
    dir.put(id + "/metrics.jsonl", lines);
  };
  put(1, line(10, 4) + line(20, 6) + line(30, 7));
  put(2, line(10, 5) + line(20, 8));
  const Plot plot = training_plot(dir.path(), study.config, study.results, data);
  ASSERT_EQ(plot.panels.size(), 1U);
  EXPECT_EQ(plot.panels[0].title, "a");
  EXPECT_EQ(plot.panels[0].y_label, "SI-SDR (dB)");
  ASSERT_EQ(plot.panels[0].curves.size(), 1U);
  EXPECT_THAT(plot.panels[0].curves[0].x, ElementsAre(10, 20));
  EXPECT_THAT(plot.panels[0].curves[0].y, ElementsAre(4.5, 7));
  EXPECT_EQ(plot.keys[plot.panels[0].curves[0].key], "cosine");
}

}  // namespace
}  // namespace limbeck::test
