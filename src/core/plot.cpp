#include "limbeck/core/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

#include "core/plot_axis.h"
#include "core/plot_draw.h"
#include "limbeck/core/format.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

constexpr double kLeft = 84, kRight = 28;
constexpr size_t kFewPoints = 60;   // each is marked
constexpr double kLargest = 1e200;  // so that differences are finite

/// The part of the picture that a panel's curves are drawn in, and what its edges stand for.
struct Frame {
  double left, top, width, height;
  PlotRange x, y;

  double right() const { return left + width; }
  double bottom() const { return top + height; }
  double at_x(double value) const { return left + width * (value - x.low) / x.size(); }
  double at_y(double value) const { return bottom() - height * (value - y.low) / y.size(); }
};

std::string axes(const Frame& f, const PlotPanel& panel, bool logarithmic_x, bool with_x_texts) {
  std::string svg;
  const auto y_ticks =
      panel.logarithmic ? log_ticks_of(f.y) : ticks_of(f.y, std::max(3.0, f.height / 34));
  for (const auto& [value, text] : y_ticks) {
    svg += line_between({f.left, f.at_y(value)}, {f.right(), f.at_y(value)}, "grid");
    svg += text_at(f.left - 8, f.at_y(value) + 4, "class=\"tick\" text-anchor=\"end\"", text);
  }
  for (const auto& [value, text] : logarithmic_x ? log_ticks_of(f.x) : ticks_of(f.x, 9)) {
    svg += line_between({f.at_x(value), f.top}, {f.at_x(value), f.bottom()}, "grid");
    if (!with_x_texts) continue;
    svg += text_at(f.at_x(value), f.bottom() + 19, "class=\"tick\" text-anchor=\"middle\"", text);
  }
  svg += line_between({f.left, f.bottom()}, {f.right(), f.bottom()}, "axis");
  svg += line_between({f.left, f.top}, {f.left, f.bottom()}, "axis");
  const double middle = f.top + f.height / 2;
  svg += text_at(
      kPlotMargin, middle,
      format("text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", kPlotMargin, middle),
      panel.y_label);
  return svg;
}

/// The pieces between gaps, in the picture's coordinates.
std::vector<std::vector<PlotPoint>> pieces_of(const PlotCurve& curve, const Frame& f) {
  std::vector<std::vector<PlotPoint>> pieces(1);
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
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points) {
  std::vector<PlotPoint> kept;
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

std::string path_of(const std::vector<PlotPoint>& points) {
  std::string path;
  for (const PlotPoint& p : thinned(points)) {
    // What is far outside is cut off by the frame, and some viewers know no large numbers.
    path += format("%s%.1f %.1f", path.empty() ? "M" : "L", p.x, std::clamp(p.y, -1e4, 1e4));
  }
  return path + (points.size() == 1 ? "h0" : "");  // which round ends make a dot
}

std::string draw_bars(const PlotCurve& curve, const Frame& f) {
  std::string svg;
  for (size_t i = 0; i < std::min(curve.bars.size(), curve.y.size()); ++i) {
    const double x = curve.x[i], y = curve.y[i], half = curve.bars[i];
    if (!std::isfinite(y + half)) continue;
    svg += bar_between({f.at_x(x), f.at_y(y - half)}, {f.at_x(x), f.at_y(y + half)}, curve.key);
  }
  return svg;
}

std::string draw_curve(const PlotCurve& curve, const Frame& f, bool marked) {
  const auto pieces = pieces_of(curve, f);
  std::string path;
  for (const auto& piece : pieces) path += path_of(piece);
  if (path.empty()) return "";
  const char* kind = curve.faint ? "faint" : "curve";
  std::string svg;
  if (!curve.unjoined) {
    svg = format("<path class=\"%s\" %s d=\"%s\"/>\n", kind, stroke_of(curve.key), path);
  }
  svg += draw_bars(curve, f);
  if ((marked && !curve.faint) || curve.unjoined) {
    for (const auto& piece : pieces) {
      for (const PlotPoint& p : piece) {
        if (p.y < f.top || p.y > f.bottom()) continue;
        svg += mark_at(p, curve.key, curve.unjoined ? 5 : 3);
      }
    }
  }
  return svg;
}

/// Outside of what is cut off, so that it is whole at the frame's edge, too.
std::string draw_end(const PlotCurve& curve, const Frame& f) {
  const auto pieces = pieces_of(curve, f);
  if (!curve.broken_off || pieces.empty()) return "";
  const PlotPoint end = pieces.back().back();
  return format("<path class=\"end\" stroke=\"%s\" d=\"M%.1f %.1fl12 12m0 -12l-12 12\"/>\n",
                colour_of(curve.key), end.x - 6, std::clamp(end.y, f.top, f.bottom()) - 6);
}

/// On its axis; NaN where there is nothing to draw.
double drawn_value(double value, bool logarithmic) {
  if (!(std::abs(value) < kLargest) || (logarithmic && value <= 0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return logarithmic ? std::log10(value) : value;
}

/// As its curves are drawn, logarithms and gaps; widens `x` to hold them.
PlotPanel prepared(PlotPanel panel, bool logarithmic_x, PlotRange& x) {
  for (PlotCurve& curve : panel.curves) {
    curve.y.resize(std::min(curve.x.size(), curve.y.size()));
    for (size_t i = 0; i < curve.y.size(); ++i) {
      curve.x[i] = drawn_value(curve.x[i], logarithmic_x);
      curve.y[i] = drawn_value(curve.y[i], panel.logarithmic);
      if (std::isnan(curve.x[i])) curve.y[i] = std::numeric_limits<double>::quiet_NaN();
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
  PlotRange range = range_of(values, panel.logarithmic);
  for (const PlotCurve& curve : panel.curves) {
    for (size_t i = 0; i < std::min(curve.bars.size(), curve.y.size()); ++i) {
      for (const double end : {curve.y[i] - curve.bars[i], curve.y[i] + curve.bars[i]}) {
        if (std::isfinite(end)) range.add(end);
      }
    }
  }
  cut_off += std::count_if(values.begin(), values.end(), [&](double y) { return !range.holds(y); });
  return range;
}

bool has_few_points(const PlotPanel& panel) {
  return std::all_of(panel.curves.begin(), panel.curves.end(), [](const PlotCurve& curve) {
    return curve.faint || curve.y.size() <= kFewPoints;
  });
}

/// From 0 on where that is near, and to where the curves end. A logarithmic one spans most of a
/// decade, so that values that are nearly the same look so.
PlotRange x_axis(PlotRange x, bool logarithmic) {
  constexpr double kLeastDecades = 0.8;
  if (logarithmic && x.size() >= kLeastDecades / 1.12) return x.widened(0.06);
  if (logarithmic && x.size() >= 0) {
    const double middle = (x.low + x.high) / 2;
    return {middle - kLeastDecades / 2, middle + kLeastDecades / 2};
  }
  if (x.low > 0 && x.low < 0.1 * x.high) x.low = 0;
  return x.size() > 0 ? x : x.widened(0);
}

/// Above the frame; those that would touch as one text.
std::string draw_places(std::vector<std::pair<double, std::string>> places, const Frame& frame) {
  constexpr double kGap = 14;
  std::sort(places.begin(), places.end());
  std::string svg;
  for (size_t begin = 0, end = 0; begin < places.size(); begin = end) {
    std::string text = places[begin].second;
    for (end = begin + 1; end < places.size(); ++end) {
      const double gap = frame.at_x(places[end].first) - frame.at_x(places[end - 1].first);
      if (gap > text_width(places[end].second) + kGap) break;
      text += ", " + places[end].second;
    }
    const double middle = (places[begin].first + places[end - 1].first) / 2;
    svg +=
        text_at(frame.at_x(middle), frame.top - 8, "class=\"tick\" text-anchor=\"middle\"", text);
  }
  return svg;
}

std::string draw_panel(const PlotPanel& panel, const Plot& plot, const Frame& frame, size_t index) {
  std::string svg = axes(frame, panel, plot.logarithmic_x, index + 1 == plot.panels.size());
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
  // One byte that is no UTF-8 would make the file unreadable.
  std::string safe;
  for (const char c : displayable(text)) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '"') {
      safe += "&quot;";
    } else {
      safe += c == '\n' || c == '\t' ? ' ' : c;
    }
  }
  return safe;
}

std::string plot_svg(const Plot& plot) {
  PlotRange x;
  std::vector<PlotPanel> panels;
  for (const PlotPanel& panel : plot.panels) {
    panels.push_back(prepared(panel, plot.logarithmic_x, x));
  }
  const auto is_joined = [](const PlotPanel& panel) {
    return std::any_of(panel.curves.begin(), panel.curves.end(),
                       [](const PlotCurve& curve) { return !curve.unjoined; });
  };
  KeySample sample;
  sample.line = std::any_of(panels.begin(), panels.end(), is_joined);
  sample.mark = std::all_of(panels.begin(), panels.end(), has_few_points) &&
                (plot.keys.size() > 1 || !sample.line);
  double top = kPlotMargin + 14;
  std::string body = draw_title(plot.title, kLeft, top);
  body += draw_keys(plot.keys, sample, kLeft, top);
  std::vector<std::pair<double, std::string>> places;
  for (const auto& [at, text] : plot.places) {
    const double drawn = drawn_value(at, plot.logarithmic_x);
    if (std::isfinite(drawn)) places.emplace_back(drawn, text);
  }
  if (!places.empty()) top += 10;
  const double height = panels.size() == 1 ? 420 : panels.size() == 2 ? 300 : 220;
  int64_t cut_off = 0;
  for (size_t i = 0; i < panels.size(); ++i) {
    const bool is_last = i + 1 == panels.size();
    const PlotRange y = y_range(panels[i], cut_off).widened(0.05);
    if (!panels[i].title.empty()) {
      top += 10;
      body += text_at(kLeft, top, "class=\"heading\"", panels[i].title);
      top += 10;
    }
    const Frame frame = {
        kLeft, top, kPlotWidth - kLeft - kRight, height, x_axis(x, plot.logarithmic_x), y};
    if (i == 0) body += draw_places(places, frame);
    body += draw_panel(panels[i], plot, frame, i);
    top += height + (is_last ? 46 : 24);
  }
  body += text_at(kLeft + (kPlotWidth - kLeft - kRight) / 2, top, "text-anchor=\"middle\"",
                  plot.x_label);
  std::string note = plot.note;
  if (cut_off > 0) {
    const std::string cut = cut_off == 1
                                ? "1 value far from all others is cut off"
                                : format("%d values far from all others are cut off", cut_off);
    note += (note.empty() ? "" : "; ") + cut;
  }
  body += draw_note(note, kLeft, top);
  return svg_document(body, top + kPlotMargin - 4);
}

}  // namespace limbeck
