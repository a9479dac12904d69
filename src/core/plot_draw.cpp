#include "core/plot_draw.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "limbeck/core/format.h"
#include "limbeck/core/plot.h"

namespace limbeck {
namespace {

constexpr double kLinePitch = 22;   // of keys
constexpr double kNotePitch = 17;   // of the lines of a note
constexpr double kCharacter = 7.4;  // mean width at the size of keys

// Okabe and Ito's, which the colour-blind tell apart, without their yellow. Dashes and marks go
// round in other numbers, so that no two of many keys share all three.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#e69f00", "#56b4e9", "#444444"};
constexpr std::array kDashes = {"", "8 4", "2 4", "10 4 2 4"};

/// Corners about a centre, for a radius of 1; none: a circle.
constexpr std::array kMarks = {"", "-.9 -.9 .9 -.9 .9 .9 -.9 .9", "0 -1.2 1.1 .8 -1.1 .8",
                               "0 -1.3 1.2 0 0 1.3 -1.2 0", "0 1.2 1.1 -.8 -1.1 -.8"};

constexpr const char* kStyle =
    "text{font:14px 'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#222}"
    ".title{font-size:17px;font-weight:bold}.tick{font-size:12.5px;fill:#444}"
    ".heading{font-weight:bold}.note{font-size:12px;fill:#666}"
    ".grid{stroke:#e6e6e6;stroke-width:1}.axis{stroke:#444;stroke-width:1.2}"
    ".zero{stroke:#444;stroke-width:1.2;stroke-dasharray:5 4}"
    ".curve,.faint,.end,.bar{fill:none;stroke-linejoin:round;stroke-linecap:round}"
    ".bar{stroke-width:1.8}.ring{fill:none;stroke-width:1.3}"
    ".curve{stroke-width:2}.faint{stroke-width:1.2;opacity:0.35}.end{stroke-width:2.6}";

size_t characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\"%s>", x, y,
                attributes.empty() ? "" : " " + attributes) +
         escape_markup(text) + "</text>\n";
}

std::string line_between(PlotPoint from, PlotPoint to, const char* kind) {
  return format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind,
                from.x, from.y, to.x, to.y);
}

double text_width(const std::string& text) {
  return kCharacter * static_cast<double>(characters(text));
}

std::string fitted(const std::string& text, double width) {
  if (text_width(text) <= width) return text;
  std::string kept = text;
  while (!kept.empty() && text_width(kept + "…") > width) {
    while ((kept.back() & 0xC0) == 0x80) kept.pop_back();
    kept.pop_back();
  }
  return kept + "…";
}

const char* colour_of(size_t key) { return kColours[key % kColours.size()]; }

std::string stroke_of(size_t key) {
  const char* dashes = kDashes[key % kDashes.size()];
  return format("stroke=\"%s\"", colour_of(key)) +
         (*dashes != 0 ? format(" stroke-dasharray=\"%s\"", dashes) : "");
}

std::string mark_at(PlotPoint at, size_t key, double radius) {
  const std::string corners = kMarks[key % kMarks.size()];
  if (corners.empty()) {
    return format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"%s\"/>\n", at.x, at.y, radius,
                  colour_of(key));
  }
  std::istringstream in(corners);
  std::string points;
  for (double x = 0, y = 0; in >> x >> y;) {
    points +=
        format("%s%.1f,%.1f", points.empty() ? "" : " ", at.x + radius * x, at.y + radius * y);
  }
  return format("<polygon points=\"%s\" fill=\"%s\"/>\n", points, colour_of(key));
}

std::string bar_between(PlotPoint from, PlotPoint to, size_t key) {
  constexpr double kEnd = 4;
  const bool upright = from.x == to.x;
  std::string path;
  for (const PlotPoint& end : {from, to}) {
    path += upright ? format("M%.1f %.1fh%g", end.x - kEnd, end.y, 2 * kEnd)
                    : format("M%.1f %.1fv%g", end.x, end.y - kEnd, 2 * kEnd);
  }
  return format("<path class=\"bar\" stroke=\"%s\" d=\"M%.1f %.1fL%.1f %.1f%s\"/>\n",
                colour_of(key), from.x, from.y, to.x, to.y, path);
}

std::string draw_keys(const std::vector<std::string>& keys, KeySample sample, double left,
                      double& top) {
  std::string svg;
  double x = left;
  for (size_t i = 0; i < keys.size(); ++i) {
    const double width = 52 + text_width(keys[i]);
    if (x > left && x + width > kPlotWidth - kPlotMargin) {
      x = left;
      top += kLinePitch;
    }
    if (sample.line) {
      svg += format("<path class=\"curve\" %s d=\"M%.1f %.1fh26\"/>\n", stroke_of(i), x, top - 5);
    }
    if (sample.mark) svg += mark_at({x + 13, top - 5}, i, 4.5);
    svg += text_at(x + 32, top, "", fitted(keys[i], kPlotWidth - kPlotMargin - left - 52));
    x += width;
  }
  if (!keys.empty()) top += kLinePitch;
  return svg;
}

std::string draw_title(const std::string& title, double left, double& top) {
  if (title.empty()) return "";
  const std::string svg =
      text_at(left, top, "class=\"title\"", fitted(title, (kPlotWidth - kPlotMargin - left) / 1.3));
  top += 28;
  return svg;
}

std::string draw_note(const std::string& note, double left, double& top) {
  std::string svg;
  std::istringstream lines(note);
  for (std::string line; std::getline(lines, line);) {
    top += svg.empty() ? 24 : kNotePitch;
    svg += text_at(left, top, "class=\"note\"", line);
  }
  return svg;
}

std::string svg_document(const std::string& body, double height) {
  return format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
             "width=\"%.0f\" height=\"%.0f\">\n<style>%s</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
             kPlotWidth, height, kPlotWidth, height, kStyle) +
         body + "</svg>\n";
}

}  // namespace limbeck
