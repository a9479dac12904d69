#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace limbeck {

/// Points in the order in which a line joins them. Where a value is not finite, the line has a gap.
struct PlotCurve {
  std::vector<double> x, y;
  size_t key = 0;           ///< index in Plot::keys, which chooses colour and dashes
  bool faint = false;       ///< stands behind the others
  bool broken_off = false;  ///< a cross marks its last point
};

struct PlotPanel {
  std::string y_label;
  std::vector<PlotCurve> curves;
  bool logarithmic = false;  ///< what is not above 0 is a gap then
};

/// Curves over a common axis, panels below one another.
struct Plot {
  std::string title;
  std::vector<std::string> keys;  ///< what each colour stands for
  std::string x_label;
  std::vector<PlotPanel> panels;
  std::string note;  ///< in small print below
};

/// The picture as an SVG document, which needs nothing beside it. A value far from all others (what
/// is left of a training that diverged) is cut off rather than let flatten the rest, and is counted
/// in the note.
std::string plot_svg(const Plot& plot);

/// Writes the picture, whole or not at all, in the format that the name ends with: .svg, or .png,
/// which the program rsvg-convert draws. Throws ConfigError for other names and where there is no
/// such program, DataError if the file cannot be written.
void write_plot(const std::filesystem::path& path, const Plot& plot);

/// The smallest of 1, 2, 5, 10, … that divides `range` into at most `most` parts.
double tick_step(double range, double most);

/// For text and attributes of HTML, SVG and XML.
std::string escape_markup(const std::string& text);

}  // namespace limbeck
