#include "limbeck/run/run_plot.h"

#include <gmock/gmock.h>

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunPlots : public testing::Test {
 protected:
  fs::path put(const std::string& name, const std::string& lines) const {
    put_text(dir_ / name / "metrics.jsonl", lines);
    return dir_ / name;
  }

  TempDir dir_;
};

TEST_F(RunPlots, ReadAnyNumberOfALine) {
  const fs::path run =
      put("a", R"({"step": 1, "split": "train", "loss": 3, "timing": {"wait": 0.5}})"
               "\n"
               R"({"step": 2, "split": "valid", "loss": 9, "far/pesq_wb": 2.5})"
               "\n"
               R"({"step": 2, "split": "train", "loss": null, "note": "x"})"
               "\n"
               R"({"step": 3, "split": "train", "loss": 1})"
               "\n"
               R"({"step": 4, "split": "train", "lo)");
  const RunCurves train =
      read_curves(run, "train", "step", {"loss", "timing.wait", "note", "none"});
  EXPECT_FALSE(train.diverged);
  EXPECT_THAT(train.known, ElementsAre("loss", "step", "timing.wait"));
  const RunCurve& loss = train.curves.at("loss");
  EXPECT_THAT(loss.x, ElementsAre(1, 2, 3));
  EXPECT_THAT(loss.y, ElementsAre(3, testing::IsNan(), 1));
  EXPECT_THAT(train.curves.at("timing.wait").y, ElementsAre(0.5));
  EXPECT_FALSE(train.curves.contains("none"));
  EXPECT_THAT(read_curves(run, "valid", "step", {"far/pesq_wb"}).curves.at("far/pesq_wb").y,
              ElementsAre(2.5));
  EXPECT_THAT(message_of<DataError>([&] { read_curves(dir_ / "b", "train", "step", {}); }),
              HasSubstr("b/metrics.jsonl: cannot be read"));
}

TEST_F(RunPlots, KnowADivergence) {
  const std::string end = R"({"step": 2, "diverged": "loss is nan"})"
                          "\n";
  const std::string line = R"({"step": 1, "split": "train", "loss": 3})"
                           "\n";
  EXPECT_TRUE(read_curves(put("a", line + end), "train", "step", {"loss"}).diverged);
  EXPECT_FALSE(read_curves(put("a", line + end + line), "train", "step", {"loss"}).diverged);
  RunPlotOptions options;
  options.splits = {"train"};
  const Plot plot = plot_runs({put("a", line + end), put("b", line)}, options);
  EXPECT_THAT(plot.keys, ElementsAre("a (diverged)", "b"));
  ASSERT_EQ(plot.panels.size(), 1U);  // nobody has si_sdr
  ASSERT_EQ(plot.panels[0].curves.size(), 2U);
  EXPECT_TRUE(plot.panels[0].curves[0].broken_off);
  EXPECT_FALSE(plot.panels[0].curves[1].broken_off);
}

TEST(RunningMeans, AreOfFiniteNeighbours) {
  const double nan = std::nan("");
  EXPECT_THAT(running_mean({1, 2, 6}, 1), ElementsAre(1, 2, 6));
  EXPECT_THAT(running_mean({1, 2, 6}, 3), ElementsAre(1.5, 3, 4));
  EXPECT_THAT(running_mean({1, 2, 6}, 2), ElementsAre(1.5, 4, 6));
  EXPECT_THAT(running_mean({1, nan, 5, 7}, 3), ElementsAre(1, testing::IsNan(), 6, 6));
  EXPECT_THAT(running_mean({2, 4}, 100), ElementsAre(3, 3));
}

TEST_F(RunPlots, GoAlongWhatIsAskedFor) {
  std::string lines;
  for (int i = 1; i <= 4; ++i) {
    lines +=
        format("{\"step\": %d, \"split\": \"valid\", \"loss\": 1, \"seconds\": %d}\n", i, 3600 * i);
  }
  RunPlotOptions options;
  options.metrics = {"loss"};
  options.x = "seconds";
  const Plot plot = plot_runs({put("a", lines)}, options);
  EXPECT_EQ(plot.x_label, "time in training (h)");
  EXPECT_THAT(plot.panels.at(0).curves.at(0).x, ElementsAre(1, 2, 3, 4));
  options.x = "epoch";
  EXPECT_THAT(message_of<DataError>([&] { plot_runs({dir_ / "a"}, options); }),
              HasSubstr("no line of split valid has loss beside epoch; these are there: loss, "
                        "seconds, step"));
  options.x = "step";
  EXPECT_THAT(plot_runs({dir_ / "a", put("begun", "")}, options).keys,
              ElementsAre("a", "begun (no values)"));
  fs::rename(dir_ / "begun/metrics.jsonl", dir_ / "begun/identity.json");
  EXPECT_THAT(read_curves(dir_ / "begun", "train", "step", {"loss"}).known, testing::IsEmpty());
  // Lines of training have their time among the other times.
  put("a", R"({"step": 1, "split": "train", "loss": 1, "timing": {"seconds": 90}})");
  options.x = "seconds";
  options.splits = {"train"};
  EXPECT_THAT(plot_runs({dir_ / "a"}, options).panels.at(0).curves.at(0).x, ElementsAre(90));
}

TEST_F(RunPlots, SmoothInFrontOfWhatWasThere) {
  std::string lines;
  for (int i = 1; i <= 3; ++i) {
    for (const char* split : {"train", "valid"}) {
      lines += format("{\"step\": %d, \"split\": \"%s\", \"loss\": %d}\n", i, split, i * i);
    }
  }
  RunPlotOptions options;
  options.metrics = {"loss"};
  options.splits = {"valid", "train"};
  options.smooth = 3;
  options.titles = {{"loss", "the loss"}};
  const Plot plot = plot_runs({put("a", lines)}, options);
  EXPECT_EQ(plot.panels.at(0).y_label, "the loss");
  const auto& curves = plot.panels[0].curves;
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_FALSE(curves[0].faint);
  EXPECT_EQ(curves[0].y, running_mean({1, 4, 9}, 3));
  EXPECT_TRUE(curves[1].faint);  // training
  options.splits = {"valid"};
  const PlotPanel alone = plot_runs({dir_ / "a"}, options).panels.at(0);
  ASSERT_EQ(alone.curves.size(), 2U);
  EXPECT_TRUE(alone.curves[0].faint);
  EXPECT_THAT(alone.curves[0].y, ElementsAre(1, 4, 9));
  EXPECT_FALSE(alone.curves[1].faint);
  EXPECT_EQ(alone.curves[1].y, running_mean({1, 4, 9}, 3));
  options.splits = {"valid", "train"};
  EXPECT_THAT(plot.note, HasSubstr("means of 3 neighbouring points"));
  options.metrics = {"gradient_norm"};  // which validation has not
  put("a", lines + R"({"step": 4, "split": "train", "gradient_norm": 1})");
  options.smooth = 1;
  EXPECT_FALSE(plot_runs({dir_ / "a"}, options).panels.at(0).curves.at(0).faint);
}

TEST_F(RunPlots, NameFurtherSets) {
  RunPlotOptions options;
  options.metrics = {"far/stoi", "far/odd"};
  options.titles = {{"stoi", "STOI"}};
  const Plot plot = plot_runs(
      {put("a", R"({"step": 1, "split": "valid", "far/stoi": 1, "far/odd": 2})")}, options);
  EXPECT_EQ(plot.panels.at(0).y_label, "STOI, far");
  EXPECT_EQ(plot.panels.at(1).y_label, "far/odd");
}

}  // namespace
}  // namespace limbeck::test
