#pragma once

#include <string>
#include <vector>

namespace limbeck {

constexpr double kPlotWidth = 960, kPlotMargin = 24;

struct PlotPoint {
  double x, y;
};

std::string text_at(double x, double y, const std::string& attributes, const std::string& text);
std::string line_between(PlotPoint from, PlotPoint to, const char* kind);

/// About, in the size of keys: no font is known here.
double text_width(const std::string& text);
/// Cut to what fits, with "…" at its end then.
std::string fitted(const std::string& text, double width);

/// A key is told by its colour, and where there is no colour by its dashes and its mark.
const char* colour_of(size_t key);
std::string stroke_of(size_t key);
/// Circle, square, triangle, …; `radius` is that of the circle.
std::string mark_at(PlotPoint at, size_t key, double radius);
/// A line from one point to the other with a short line across each end.
std::string bar_between(PlotPoint from, PlotPoint to, size_t key);

/// What a key is shown with.
struct KeySample {
  bool line = true;
  bool mark = false;
};

/// Entries side by side from `left` on, as many as a line takes; `top` moves to below them.
std::string draw_keys(const std::vector<std::string>& keys, KeySample sample, double left,
                      double& top);

/// Title, if there is one; `top` moves to below it.
std::string draw_title(const std::string& title, double left, double& top);
/// The lines of a note, if there is one; `top` moves to the last of them.
std::string draw_note(const std::string& note, double left, double& top);

/// All of a picture of this height.
std::string svg_document(const std::string& body, double height);

}  // namespace limbeck
