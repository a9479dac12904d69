#include "limbeck/core/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string svg_of(std::vector<double> x, std::vector<double> y, bool broken_off = false) {
  return plot_svg({"",
                   {"run"},
                   "step",
                   {{"loss", {{std::move(x), std::move(y), 0, false, broken_off}}, false}},
                   ""});
}

/// The path of the first curve of a panel.
std::string path_in(const std::string& svg) {
  const size_t drawn = svg.find("<path", svg.find("<g clip-path"));
  const size_t begin = svg.find(" d=\"", drawn) + 4;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

TEST(Plots, DrawWhatIsThere) {
  const std::string svg = svg_of({0, 1, 2}, {3, 1, 2});
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  for (const char* text : {">run<", ">step<", ">loss<", ">1.2<", ">2.4<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_EQ(count(path_in(svg), "L"), 2U);
  EXPECT_EQ(count(svg, "<circle"), 3U);
  EXPECT_THAT(svg, Not(HasSubstr("cut off")));
}

TEST(Plots, HaveGapsWhereValuesAreNotFinite) {
  const std::string path = path_in(svg_of({0, 1, 2, 3, 4, 5}, {1, 2, kNan, kInfinity, 3, kNan}));
  EXPECT_EQ(count(path, "M"), 2U);
  EXPECT_EQ(count(path, "L"), 1U);
  EXPECT_EQ(count(path, "h0"), 1U);  // a lone point is a dot
}

TEST(Plots, OfNothingAreEmptyFrames) {
  for (const auto& values : {std::vector<double>{}, {kNan, kNan}, {kInfinity, 1e300}}) {
    const std::string svg = svg_of(std::vector<double>(values.size(), 1.0), values);
    EXPECT_THAT(svg, HasSubstr("no values"));
    EXPECT_THAT(svg, Not(testing::ContainsRegex("[^a-z](nan|inf)[^a-z]")));
  }
}

TEST(Plots, OfOneValueHaveAnAxis) {
  for (const double value : {0.0, 5.0, -1e-9, 1e150}) {
    const std::string svg = svg_of({7}, {value});
    EXPECT_EQ(count(svg, "<circle"), 1U);
    EXPECT_GT(count(svg, "class=\"tick\""), 3U);
    EXPECT_THAT(svg, Not(testing::ContainsRegex("[^a-z](nan|inf)[^a-z]")));
  }
}

TEST(Plots, AreNotFlattenedByADivergence) {
  std::vector<double> x, y;
  for (int i = 0; i < 100; ++i) {
    x.push_back(i);
    y.push_back(1 + 0.01 * i);
  }
  y[98] = 1e12;
  y[99] = 1e30;
  const std::string svg = svg_of(x, y, true);
  EXPECT_THAT(svg, HasSubstr("2 values far from all others are cut off"));
  EXPECT_THAT(svg, HasSubstr(">1.2<"));
  EXPECT_EQ(count(svg, "class=\"end\""), 1U);
  y[98] = y[99] = 2;
  EXPECT_EQ(count(svg_of(x, y), "class=\"end\""), 0U);
}

TEST(Plots, OfLongTrainingsAreSmallAndKeepPeaks) {
  std::vector<double> x, y;
  for (int i = 0; i < 200000; ++i) {
    x.push_back(i);
    y.push_back(std::sin(i));
  }
  y[123456] = 3;
  const std::string svg = svg_of(x, y);
  EXPECT_LT(svg.size(), 100000U);
  EXPECT_THAT(svg, HasSubstr(">100k<"));
  // The highest point of the curve: 5 % of the range, 4, below the top of the frame.
  double highest = 1e9;
  const std::string path = path_in(svg);
  for (size_t at = path.find(' '); at != path.npos; at = path.find(' ', at + 1)) {
    highest = std::min(highest, std::strtod(path.c_str() + at, nullptr));
  }
  y[123456] = 1;
  double highest_without = 1e9;
  const std::string without = path_in(svg_of(x, y));
  for (size_t at = without.find(' '); at != without.npos; at = without.find(' ', at + 1)) {
    highest_without = std::min(highest_without, std::strtod(without.c_str() + at, nullptr));
  }
  EXPECT_NEAR(highest, highest_without, 1.0);  // both reach the top
  EXPECT_GT(count(path, "L"), 2000U);
}

TEST(Plots, HaveLogarithmicAxes) {
  PlotPanel panel{"loss", {{{0, 1, 2, 3}, {100, 1, 0, 0.01}, 0, false, false}}, true};
  const std::string svg = plot_svg({"", {"run"}, "step", {panel}, ""});
  for (const char* text : {">0.01<", ">0.1<", ">1<", ">10<", ">100<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_EQ(count(path_in(svg), "M"), 2U);  // 0 has no logarithm
  panel.curves[0].y = {1e-9, 1e6, 1e-3, 1e12};
  EXPECT_THAT(plot_svg({"", {"run"}, "step", {panel}, ""}),
              AllOf(HasSubstr(">1e-6<"), HasSubstr(">1e9<")));
  panel.curves[0].y = {2, 3, 4, 5};
  EXPECT_THAT(plot_svg({"", {"run"}, "step", {panel}, ""}), HasSubstr(">3<"));
}

TEST(Plots, TellManyRunsApart) {
  Plot plot{"title", {}, "step", {{"loss", {}, false}}, "note"};
  for (size_t i = 0; i < 9; ++i) {
    plot.keys.push_back("a run with quite a long name " + std::to_string(i));
    plot.panels[0].curves.push_back({{0, 1}, {0, static_cast<double>(i)}, i, false, false});
  }
  const std::string svg = plot_svg(plot);
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray"));
  EXPECT_THAT(svg, HasSubstr(">title<"));
  EXPECT_THAT(svg, HasSubstr(">note<"));
}

TEST(Plots, HaveMarksWithBarsAndALogarithmicXAxis) {
  PlotCurve curve{{1e4, 1e6}, {2, 3}};
  curve.unjoined = true;
  curve.bars = {0.5, kNan};
  Plot plot{"", {"a"}, "parameters", {{"PESQ", {curve}}}, "one\ntwo"};
  plot.logarithmic_x = true;
  plot.places = {{1e4, "A"}, {1.02e4, "B"}, {1e6, "C"}, {0, "nowhere"}};
  const std::string svg = plot_svg(plot);
  EXPECT_EQ(count(svg, "<path class=\"curve\""), 0U);
  EXPECT_EQ(count(svg, "class=\"bar\""), 1U);
  EXPECT_EQ(count(svg, "<circle"), 3U);  // two points and the key
  for (const char* text : {">10k<", ">1M<", ">A, B<", ">C<", ">one<", ">two<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_THAT(svg, HasSubstr(">1.6<"));  // the bar is in the frame
  EXPECT_THAT(svg, Not(HasSubstr("nowhere")));
  plot.panels[0].curves[0].x = {1e6, 1.001e6};
  EXPECT_THAT(plot_svg(plot), AllOf(HasSubstr(">0.5M<"), HasSubstr(">2M<")));
  plot.panels[0].curves.clear();
  EXPECT_THAT(plot_svg(plot), HasSubstr("no values"));
}

TEST(Plots, TellKeysApartWithoutColour) {
  Plot plot{"", {"a", "b", "c", "d", "e"}, "step", {{"loss", {}}}, ""};
  for (size_t i = 0; i < 5; ++i) plot.panels[0].curves.push_back({{0, 1}, {0, 1}, i});
  const std::string svg = plot_svg(plot);
  EXPECT_EQ(count(svg, "<circle"), 3U);    // of the first alone: two points and its key
  EXPECT_EQ(count(svg, "<polygon"), 12U);  // four other marks
  for (const char* dashes : {"\"8 4\"", "\"2 4\"", "\"10 4 2 4\""}) {
    EXPECT_EQ(count(svg, dashes), 2U);
  }
}

TEST(RowPlots, ShowValuesMeansAndBars) {
  RowPlot plot{.title = "title", .keys = {"a"}, .x_label = "dB", .line = 0};
  plot.rows.push_back({.label = "a group", .is_heading = true});
  plot.rows.push_back({.label = "row",
                       .values = {1, kNan, 3},
                       .mean = 2,
                       .low = -0.5,
                       .high = 4.5,
                       .text = "+2.0"});
  plot.rows.push_back({.label = std::string(100, 'x'), .values = {1}, .mean = 1});
  const std::string svg = plot_svg(plot);
  for (const char* text : {">title<", ">a<", ">dB<", ">a group<", ">row<", ">+2.0<", "xxx…<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_EQ(count(svg, "class=\"ring\""), 3U);
  EXPECT_EQ(count(svg, "class=\"bar\""), 1U);
  EXPECT_EQ(count(svg, "class=\"zero\""), 1U);
  EXPECT_THAT(svg, Not(testing::ContainsRegex("[^a-z](nan|inf)[^a-z]")));
  EXPECT_THAT(plot_svg(RowPlot{}), Not(testing::ContainsRegex("[^a-z](nan|inf)[^a-z]")));
}

TEST(Plots, TakeAnyText) {
  EXPECT_EQ(escape_markup("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(escape_markup("\xff\n"), "\xEF\xBF\xBD ");
}

TEST(Plots, TicksAreRound) {
  EXPECT_DOUBLE_EQ(tick_step(10, 5), 2);
  EXPECT_DOUBLE_EQ(tick_step(0.9, 5), 0.2);
  EXPECT_DOUBLE_EQ(tick_step(40000, 9), 5000);
}

TEST(Plots, AreWrittenAsTheNameSays) {
  const Scratch scratch;
  const Plot plot{"", {"run"}, "step", {{"loss", {{{0, 1}, {0, 1}, 0, false, false}}, false}}, ""};
  write_plot(scratch / "a.svg", plot);
  EXPECT_EQ(read_file(scratch / "a.svg"), plot_svg(plot));
  EXPECT_THAT(error_of<ConfigError>([&] { write_plot(scratch / "a.pdf", plot); }),
              HasSubstr("ends with .svg or .png"));
  EXPECT_THAT(error_of<DataError>([&] { write_plot(scratch / "none" / "a.svg", plot); }),
              HasSubstr("none/a.svg: cannot be written"));
}

TEST(Plots, APngNeedsAProgramAndSaysSo) {
  const Scratch scratch;
  const Plot plot{"", {"run"}, "step", {{"loss", {{{0, 1}, {0, 1}, 0, false, false}}, false}}, ""};
  const char* before = std::getenv("PATH");
  const std::string path = before != nullptr ? before : "";
  ::setenv("PATH", (scratch / "bin").c_str(), 1);
  const std::string without = error_of<ConfigError>([&] { write_plot(scratch / "a.png", plot); });
  std::filesystem::create_directories(scratch / "bin");
  const auto program = scratch / "bin" / "rsvg-convert";
  write_file_atomically(program,
                        "#!/bin/sh\nread -r first <\"$5\"\necho \"drawn $first\" >\"$4\"\n");
  const auto may_run = [&] {
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  };
  may_run();
  write_plot(scratch / "a.png", plot);
  write_file_atomically(program, "#!/bin/sh\necho no fonts\nexit 1\n");
  may_run();
  const std::string failed = error_of<DataError>([&] { write_plot(scratch / "b.png", plot); });
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(without, HasSubstr("ends with .svg, which needs nothing"));
  EXPECT_TRUE(read_file(scratch / "a.png").starts_with("drawn <svg "));
  EXPECT_THAT(failed, HasSubstr("rsvg-convert failed: no fonts"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "b.png"));
}

}  // namespace
}  // namespace limbeck::test
