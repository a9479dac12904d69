#include <algorithm>
#include <cmath>

#include "core/plot_axis.h"
#include "core/plot_draw.h"
#include "limbeck/core/format.h"
#include "limbeck/core/plot.h"

namespace limbeck {
namespace {

constexpr double kRowHeight = 30;
constexpr double kIndent = 14;  // of rows against their headings
constexpr double kLongestLabel = 330;

/// Where rows are drawn, and what the edges stand for.
struct RowFrame {
  double left, right, top, bottom;
  PlotRange x;

  double at(double value) const { return left + (right - left) * (value - x.low) / x.size(); }
};

PlotRange range_of_rows(const RowPlot& plot) {
  PlotRange range;
  const auto add = [&](double value) {
    if (std::isfinite(value)) range.add(value);
  };
  for (const PlotRow& row : plot.rows) {
    for (const double value : row.values) add(value);
    for (const double value : {row.mean, row.low, row.high}) add(value);
  }
  if (plot.line) add(*plot.line);
  return range.widened(0.05);
}

std::string draw_axis(const RowPlot& plot, const RowFrame& f) {
  std::string svg;
  for (const auto& [value, text] : ticks_of(f.x, std::max(3.0, (f.right - f.left) / 80))) {
    svg += line_between({f.at(value), f.top}, {f.at(value), f.bottom}, "grid");
    svg += text_at(f.at(value), f.bottom + 19, "class=\"tick\" text-anchor=\"middle\"", text);
  }
  if (plot.line) {
    svg += line_between({f.at(*plot.line), f.top}, {f.at(*plot.line), f.bottom}, "zero");
  }
  return svg + line_between({f.left, f.bottom}, {f.right, f.bottom}, "axis");
}

/// The mean and its bar in the row's upper half, what they are made from below: none hides another.
std::string draw_values(const PlotRow& row, const RowFrame& f, double middle) {
  std::string svg;
  for (const double value : row.values) {
    if (!std::isfinite(value)) continue;
    svg += format("<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\" stroke=\"%s\"/>\n",
                  f.at(value), middle + 7, colour_of(row.key));
  }
  if (std::isfinite(row.low) && std::isfinite(row.high)) {
    svg += bar_between({f.at(row.low), middle - 4}, {f.at(row.high), middle - 4}, row.key);
  }
  if (std::isfinite(row.mean)) svg += mark_at({f.at(row.mean), middle - 4}, row.key, 5);
  return svg;
}

std::string draw_row(const PlotRow& row, const RowFrame& f, double top) {
  const double middle = top + kRowHeight / 2;
  if (row.is_heading) {
    const double width = kPlotWidth - 2 * kPlotMargin;
    return format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#f2f2f2\"/>\n",
                  kPlotMargin - 6, top + 3, width + 12, kRowHeight - 6) +
           text_at(kPlotMargin, middle + 5, "class=\"heading\"", fitted(row.label, width / 1.1));
  }
  const std::string label = fitted(row.label, kLongestLabel);
  std::string svg = text_at(kPlotMargin + kIndent, middle + 5, "", label);
  svg += draw_values(row, f, middle);
  return svg + text_at(kPlotWidth - kPlotMargin, middle + 5, "class=\"tick\" text-anchor=\"end\"",
                       row.text);
}

}  // namespace

std::string plot_svg(const RowPlot& plot) {
  double top = kPlotMargin + 14;
  std::string body = draw_title(plot.title, kPlotMargin, top);
  body += draw_keys(plot.keys, {.line = false, .mark = true}, kPlotMargin, top);
  double labels = 0, texts = 0;
  for (const PlotRow& row : plot.rows) {
    if (!row.is_heading) labels = std::max(labels, text_width(row.label));
    texts = std::max(texts, text_width(row.text));
  }
  const RowFrame frame = {kPlotMargin + kIndent + std::min(labels, kLongestLabel) + 20,
                          kPlotWidth - kPlotMargin - texts - (texts > 0 ? 16 : 0), top,
                          top + kRowHeight * static_cast<double>(plot.rows.size()),
                          range_of_rows(plot)};
  body += draw_axis(plot, frame);
  for (const PlotRow& row : plot.rows) {
    body += draw_row(row, frame, top);
    top += kRowHeight;
  }
  top += 46;
  body += text_at((frame.left + frame.right) / 2, top, "text-anchor=\"middle\"", plot.x_label);
  body += draw_note(plot.note, kPlotMargin, top);
  return svg_document(body, top + kPlotMargin - 4);
}

}  // namespace limbeck
