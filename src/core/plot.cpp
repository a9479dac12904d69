#include "limbeck/core/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/plot_axis.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr double kWidth = 960, kLeft = 84, kRight = 28, kMargin = 24;
constexpr double kLinePitch = 22;   // of keys
constexpr double kCharacter = 7.4;  // mean width at the size of keys; no font is known here
constexpr size_t kFewPoints = 60;   // each is marked
constexpr double kLargest = 1e200;  // so that differences are finite

// Okabe and Ito's, which the colour-blind tell apart, without their yellow; then the same in
// dashes.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#e69f00", "#56b4e9", "#444444"};
constexpr std::array kDashes = {"", "8 4", "2 4", "10 4 2 4"};

/// The part of the picture that a panel's curves are drawn in, and what its edges stand for.
struct Frame {
  double left, top, width, height;
  PlotRange x, y;

  double right() const { return left + width; }
  double bottom() const { return top + height; }
  double at_x(double value) const { return left + width * (value - x.low) / x.size(); }
  double at_y(double value) const { return bottom() - height * (value - y.low) / y.size(); }
};

struct Point {
  double x, y;
};

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\"%s>", x, y,
                attributes.empty() ? "" : " " + attributes) +
         escape_markup(text) + "</text>\n";
}

std::string line(Point from, Point to, const char* kind) {
  return format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind,
                from.x, from.y, to.x, to.y);
}

std::string axes(const Frame& f, const PlotPanel& panel, bool with_x_texts) {
  std::string svg;
  const auto y_ticks =
      panel.logarithmic ? log_ticks_of(f.y) : ticks_of(f.y, std::max(3.0, f.height / 34));
  for (const auto& [value, text] : y_ticks) {
    svg += line({f.left, f.at_y(value)}, {f.right(), f.at_y(value)}, "grid");
    svg += text_at(f.left - 8, f.at_y(value) + 4, "class=\"tick\" text-anchor=\"end\"", text);
  }
  for (const auto& [value, text] : ticks_of(f.x, 9)) {
    svg += line({f.at_x(value), f.top}, {f.at_x(value), f.bottom()}, "grid");
    if (!with_x_texts) continue;
    svg += text_at(f.at_x(value), f.bottom() + 19, "class=\"tick\" text-anchor=\"middle\"", text);
  }
  svg += line({f.left, f.bottom()}, {f.right(), f.bottom()}, "axis");
  svg += line({f.left, f.top}, {f.left, f.bottom()}, "axis");
  const double middle = f.top + f.height / 2;
  svg +=
      text_at(kMargin, middle,
              format("text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", kMargin, middle),
              panel.y_label);
  return svg;
}

/// The pieces between gaps, in the picture's coordinates.
std::vector<std::vector<Point>> pieces_of(const PlotCurve& curve, const Frame& f) {
  std::vector<std::vector<Point>> pieces(1);
  for (size_t i = 0; i < curve.y.size(); ++i) {
    if (std::isfinite(curve.y[i])) {
      pieces.back().push_back({f.at_x(curve.x[i]), f.at_y(curve.y[i])});
    } else if (!pieces.back().empty()) {
      pieces.emplace_back();
    }
  }
  if (pieces.back().empty()) pieces.pop_back();
  return pieces;
}

/// Of the points that fall on one column of the picture, the first, lowest, highest and last: they
/// look the same, and a long training makes no large file.
std::vector<Point> thinned(const std::vector<Point>& points) {
  std::vector<Point> kept;
  for (size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    std::array<size_t, 4> told = {begin, begin, begin, begin};
    while (end < points.size() && std::floor(points[end].x) == std::floor(points[begin].x)) {
      if (points[end].y < points[told[1]].y) told[1] = end;
      if (points[end].y > points[told[2]].y) told[2] = end;
      told[3] = end++;
    }
    std::sort(told.begin(), told.end());
    const auto last = std::unique(told.begin(), told.end());
    for (auto i = told.begin(); i != last; ++i) kept.push_back(points[*i]);
  }
  return kept;
}

std::string path_of(const std::vector<Point>& points) {
  std::string path;
  for (const Point& p : thinned(points)) {
    // What is far outside is cut off by the frame, and some viewers know no large numbers.
    path += format("%s%.1f %.1f", path.empty() ? "M" : "L", p.x, std::clamp(p.y, -1e4, 1e4));
  }
  return path + (points.size() == 1 ? "h0" : "");  // which round ends make a dot
}

std::string stroke_of(size_t key) {
  const char* dashes = kDashes[key / kColours.size() % kDashes.size()];
  return format("stroke=\"%s\"", kColours[key % kColours.size()]) +
         (*dashes != 0 ? format(" stroke-dasharray=\"%s\"", dashes) : "");
}

std::string draw_curve(const PlotCurve& curve, const Frame& f, bool marked) {
  const auto pieces = pieces_of(curve, f);
  std::string path;
  for (const auto& piece : pieces) path += path_of(piece);
  if (path.empty()) return "";
  const char* kind = curve.faint ? "faint" : "curve";
  std::string svg = format("<path class=\"%s\" %s d=\"%s\"/>\n", kind, stroke_of(curve.key), path);
  if (marked && !curve.faint) {
    const char* colour = kColours[curve.key % kColours.size()];
    for (const auto& piece : pieces) {
      for (const Point& p : piece) {
        if (p.y < f.top || p.y > f.bottom()) continue;
        svg += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", p.x, p.y, colour);
      }
    }
  }
  return svg;
}

/// Outside of what is cut off, so that it is whole at the frame's edge, too.
std::string draw_end(const PlotCurve& curve, const Frame& f) {
  const auto pieces = pieces_of(curve, f);
  if (!curve.broken_off || pieces.empty()) return "";
  const Point end = pieces.back().back();
  return format("<path class=\"end\" stroke=\"%s\" d=\"M%.1f %.1fl12 12m0 -12l-12 12\"/>\n",
                kColours[curve.key % kColours.size()], end.x - 6,
                std::clamp(end.y, f.top, f.bottom()) - 6);
}

/// Entries side by side, as many as a line takes; `top` moves to below them.
std::string draw_keys(const std::vector<std::string>& keys, double& top) {
  std::string svg;
  double x = kLeft;
  for (size_t i = 0; i < keys.size(); ++i) {
    const double width = 44 + kCharacter * static_cast<double>(std::count_if(
                                               keys[i].begin(), keys[i].end(),
                                               [](char c) { return (c & 0xC0) != 0x80; }));
    if (x > kLeft && x + width > kWidth - kRight) {
      x = kLeft;
      top += kLinePitch;
    }
    svg += format("<path class=\"curve\" %s d=\"M%.1f %.1fh26\"/>\n", stroke_of(i), x, top - 5);
    svg += text_at(x + 32, top, "", keys[i]);
    x += width;
  }
  if (!keys.empty()) top += kLinePitch;
  return svg;
}

constexpr const char* kStyle =
    "text{font:14px 'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#222}"
    ".title{font-size:17px;font-weight:bold}.tick{font-size:12.5px;fill:#444}"
    ".note{font-size:12px;fill:#666}"
    ".grid{stroke:#e6e6e6;stroke-width:1}.axis{stroke:#444;stroke-width:1.2}"
    ".curve,.faint,.end{fill:none;stroke-linejoin:round;stroke-linecap:round}"
    ".curve{stroke-width:2}.faint{stroke-width:1.2;opacity:0.35}.end{stroke-width:2.6}";

/// NaN where there is nothing to draw.
double drawn_value(double x, double y, bool logarithmic) {
  const bool is_drawn = std::abs(x) < kLargest && std::abs(y) < kLargest && (!logarithmic || y > 0);
  if (!is_drawn) return std::numeric_limits<double>::quiet_NaN();
  return logarithmic ? std::log10(y) : y;
}

/// As its curves are drawn, logarithms and gaps; widens `x` to hold them.
PlotPanel prepared(PlotPanel panel, PlotRange& x) {
  for (PlotCurve& curve : panel.curves) {
    curve.y.resize(std::min(curve.x.size(), curve.y.size()));
    for (size_t i = 0; i < curve.y.size(); ++i) {
      curve.y[i] = drawn_value(curve.x[i], curve.y[i], panel.logarithmic);
      if (std::isfinite(curve.y[i])) x.add(curve.x[i]);
    }
  }
  return panel;
}

/// `cut_off` counts the values beyond it.
PlotRange y_range(const PlotPanel& panel, int64_t& cut_off) {
  std::vector<double> values;
  for (const PlotCurve& curve : panel.curves) {
    std::copy_if(curve.y.begin(), curve.y.end(), std::back_inserter(values),
                 [](double y) { return std::isfinite(y); });
  }
  const PlotRange range = range_of(values, panel.logarithmic);
  cut_off += std::count_if(values.begin(), values.end(), [&](double y) { return !range.holds(y); });
  return range;
}

bool has_few_points(const PlotPanel& panel) {
  return std::all_of(panel.curves.begin(), panel.curves.end(), [](const PlotCurve& curve) {
    return curve.faint || curve.y.size() <= kFewPoints;
  });
}

/// From 0 on where that is near, and to where the curves end.
PlotRange x_axis(PlotRange x) {
  if (x.low > 0 && x.low < 0.1 * x.high) x.low = 0;
  return x.size() > 0 ? x : x.widened(0);
}

std::string draw_panel(const PlotPanel& panel, const Frame& frame, size_t index, bool is_last) {
  std::string svg = axes(frame, panel, is_last);
  const bool marked = has_few_points(panel);
  svg += format(
      "<clipPath id=\"panel%d\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
      "height=\"%.1f\"/></clipPath>\n<g clip-path=\"url(#panel%d)\">\n",
      index, frame.left - 4, frame.top - 4, frame.width + 8, frame.height + 8, index);
  std::string curves, ends;
  for (const bool faint : {true, false}) {
    for (const PlotCurve& curve : panel.curves) {
      if (curve.faint == faint) curves += draw_curve(curve, frame, marked);
      ends += faint ? draw_end(curve, frame) : "";
    }
  }
  if (curves.empty()) {
    ends = text_at(frame.left + frame.width / 2, frame.top + frame.height / 2,
                   "class=\"note\" text-anchor=\"middle\"", "no values");
  }
  return svg + curves + "</g>\n" + ends;
}

}  // namespace

std::string escape_markup(const std::string& text) {
  // Through JSON, which replaces what is no UTF-8: one such byte would make the file unreadable.
  using nlohmann::json;
  const std::string sound =
      json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
  std::string safe;
  for (const char c : sound) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '"') {
      safe += "&quot;";
    } else {
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;  // XML knows no control characters
    }
  }
  return safe;
}

std::string plot_svg(const Plot& plot) {
  double top = kMargin + 14;
  std::string body;
  if (!plot.title.empty()) {
    body += text_at(kLeft, top, "class=\"title\"", plot.title);
    top += 28;
  }
  body += draw_keys(plot.keys, top);
  const double height = plot.panels.size() == 1 ? 420 : plot.panels.size() == 2 ? 300 : 220;
  PlotRange x;
  std::vector<PlotPanel> panels;
  for (const PlotPanel& panel : plot.panels) panels.push_back(prepared(panel, x));
  int64_t cut_off = 0;
  for (size_t i = 0; i < panels.size(); ++i) {
    const bool is_last = i + 1 == panels.size();
    const PlotRange y = y_range(panels[i], cut_off).widened(0.05);
    const Frame frame = {kLeft, top, kWidth - kLeft - kRight, height, x_axis(x), y};
    body += draw_panel(panels[i], frame, i, is_last);
    top += height + (is_last ? 46 : 24);
  }
  body +=
      text_at(kLeft + (kWidth - kLeft - kRight) / 2, top, "text-anchor=\"middle\"", plot.x_label);
  std::string note = plot.note;
  if (cut_off > 0) {
    const std::string cut = cut_off == 1
                                ? "1 value far from all others is cut off"
                                : format("%d values far from all others are cut off", cut_off);
    note += (note.empty() ? "" : "; ") + cut;
  }
  if (!note.empty()) body += text_at(kLeft, top += 24, "class=\"note\"", note);
  top += kMargin - 4;
  return format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
             "width=\"%.0f\" height=\"%.0f\">\n<style>%s</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
             kWidth, top, kWidth, top, kStyle) +
         body + "</svg>\n";
}

}  // namespace limbeck
