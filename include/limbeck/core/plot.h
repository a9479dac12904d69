#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limbeck {

/// Points in the order in which a line joins them. Where a value is not finite, the line has a gap.
struct PlotCurve {
  std::vector<double> x, y;
  size_t key = 0;           ///< index in Plot::keys, which chooses colour, dashes and marks
  bool faint = false;       ///< stands behind the others
  bool broken_off = false;  ///< a cross marks its last point
  bool unjoined = false;    ///< marks alone, without a line
  /// Half the length of a bar at each point, on an axis that is not logarithmic; NaN: none there.
  std::vector<double> bars = {};
};

struct PlotPanel {
  std::string y_label;
  std::vector<PlotCurve> curves;
  bool logarithmic = false;  ///< what is not above 0 is a gap then
  std::string title = {};    ///< above it, where panels differ by more than their axis
};

/// Curves over a common axis, panels below one another.
struct Plot {
  std::string title;
  std::vector<std::string> keys;  ///< what each colour stands for
  std::string x_label;
  std::vector<PlotPanel> panels;
  std::string note;  ///< in small print below
  bool logarithmic_x = false;
  /// Texts at places of the x axis, above the frame; where there is no room side by side, they
  /// stand together.
  std::vector<std::pair<double, std::string>> places = {};
};

/// One row of a RowPlot. What is not finite is not drawn.
struct PlotRow {
  std::string label;
  size_t key = 0;
  std::vector<double> values = {};  ///< a small ring each
  double mean = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();  ///< of a bar through the mean
  double high = std::numeric_limits<double>::quiet_NaN();
  std::string text = {};    ///< at the row's end
  bool is_heading = false;  ///< of the rows below it
};

/// Repeated measurements, or differences, below one another along one axis.
struct RowPlot {
  std::string title = {};
  std::vector<std::string> keys = {};
  std::string x_label = {};
  std::vector<PlotRow> rows = {};
  std::optional<double> line = {};  ///< a dashed line there
  std::string note = {};            ///< in small print below
};

/// The picture as an SVG document, which needs nothing beside it. A value far from all others (what
/// is left of a training that diverged) is cut off rather than let flatten the rest, and is counted
/// in the note.
std::string plot_svg(const Plot& plot);
std::string plot_svg(const RowPlot& plot);

/// Writes the picture, whole or not at all, in the format that the name ends with: .svg, or .png,
/// which the program rsvg-convert draws. Throws ConfigError for other names and where there is no
/// such program, DataError if the file cannot be written.
void write_plot(const std::filesystem::path& path, const Plot& plot);
void write_plot(const std::filesystem::path& path, const RowPlot& plot);

/// The program that draws a PNG is there.
bool can_draw_png();

/// The smallest of 1, 2, 5, 10, … that divides `range` into at most `most` parts.
double tick_step(double range, double most);

/// For text and attributes of HTML, SVG and XML.
std::string escape_markup(const std::string& text);

}  // namespace limbeck
